FROM python:3.11-slim AS build
WORKDIR /srv/mailsales
ENV UV_PYTHON_DOWNLOADS=never UV_LINK_MODE=copy
COPY requirements requirements
RUN pip install -q --root-user-action=ignore --require-hashes --target /tmp/tools -r requirements/uv.txt \
 && /tmp/tools/bin/uv venv -q .venv \
 && VIRTUAL_ENV=/srv/mailsales/.venv /tmp/tools/bin/uv pip install -q --require-hashes --compile-bytecode -r requirements/base.txt

FROM python:3.11-slim
WORKDIR /srv/mailsales
COPY --from=build /srv/mailsales/.venv .venv
COPY . .
# Any command compiles the catalogues. Static files, uploads, exports and journals live in the volume.
RUN .venv/bin/python manage.py help >/dev/null \
 && useradd --system --uid 10001 mailsales \
 && install -d -o mailsales /var/lib/mailsales
ENV PATH=/srv/mailsales/.venv/bin:$PATH PYTHONUNBUFFERED=1 HOST=0.0.0.0 MAILSALES_ENV=production MAILSALES_VAR=/var/lib/mailsales
USER mailsales
VOLUME /var/lib/mailsales
EXPOSE 8000
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--no-ws", "--respawn-failed-workers", "--workers", "2", "--blocking-threads", "4", "mailsales.wsgi:application"]
