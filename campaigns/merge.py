"""Merge tags: the Liquid that a marketer may write, and its fast form for sending.

`{{ name | default: "お客様" }}` puts in what is known of a contact. A template is parsed once; `Plan` turns what nearly
every mail holds, text and plain tags, into look-ups, and leaves the rest to Liquid, recipient by recipient. Both say the
same (`tests/campaigns/test_merge.py`). Nothing a template says can read a file, loop for long, or fill the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from liquid import Environment
from liquid.ast import Node
from liquid.builtin import register
from liquid.builtin.content import ContentNode
from liquid.builtin.expressions import FilteredExpression, Path, PositionalArgument, StringLiteral
from liquid.builtin.expressions.primitive import IntegerLiteral, RangeLiteral
from liquid.builtin.filters.misc import date as liquid_date
from liquid.builtin.filters.misc import default as liquid_default
from liquid.builtin.output import OutputNode
from liquid.context import RenderContext
from liquid.exceptions import FilterArgumentError, LiquidError, LiquidSyntaxError, ResourceLimitError
from liquid.expression import Expression
from liquid.filter import liquid_filter, string_filter, with_environment
from liquid.stringify import to_liquid_string
from liquid.template import BoundTemplate
from markupsafe import escape

# Each of these stops at the next beginning of its kind and never goes back, so that no source makes them slow.
TAG = re.compile(r"\{\{(?:[^{}]|\{(?!\{)|\}(?!\}))*+\}\}|\{%(?:[^%{]|%(?!\})|\{(?![%{]))*+%\}")
COMMENT = re.compile(r"<!--(?:(?!<!--|-->).)*+-->", re.DOTALL)
ELEMENT = re.compile(r"""<[a-z/!?](?:[^"'<>]|"[^"]*"|'[^']*')*+>""", re.IGNORECASE)
STYLE = re.compile(
    r"<(style|script)\b(?:(?!<style\b|<script\b|</style|</script).)*+</\1\s*>", re.IGNORECASE | re.DOTALL
)
SPECIAL = re.compile("[&<>\"']")  # what `escape` changes
NOT_TEXT = f"{COMMENT.pattern}|{STYLE.pattern}|{ELEMENT.pattern}"
NOT_FOR_MAIL = (
    "include",
    "render",
    "liquid",
    "echo",
    "tablerow",
    "increment",
    "decrement",
    "cycle",
    "ifchanged",
    "doc",
)
FILTERS = (
    *("default", "date", "size", "upcase", "downcase", "capitalize", "strip", "lstrip", "rstrip", "truncate"),
    *("append", "prepend", "remove", "replace", "slice", "escape", "newline_to_br", "strip_newlines", "url_encode"),
    *("plus", "minus", "times", "divided_by", "modulo", "round", "floor", "ceil", "abs", "at_least", "at_most"),
)
LONGEST_LOOP = 1000
MOST_UNCLOSED = 20  # Liquid looks for the end of each
LONGEST_OUTPUT = 500_000  # bytes; a mail is clipped at a fifth of it
BUILT_IN = ("now", "today")  # names that Liquid itself knows
EXAMPLE = '{{ name | default: "お客様" }}'


class MergeError(ValueError):
    """A template is wrong, or went wrong for one recipient.

    `line` counts from 1, or is None where nobody can tell; `advice` is a sentence for the person who wrote it.
    """

    def __init__(self, line: int | None, advice: str | Promise) -> None:
        super().__init__(line, advice)
        self.line = line
        self.advice = advice

    def __str__(self) -> str:
        return str(
            _("Line %(line)d: %(advice)s") % {"line": self.line, "advice": self.advice} if self.line else self.advice
        )


@dataclass(frozen=True, slots=True)
class Tag:
    """One name that a template reads. `has_default` is False when any of its uses goes without one."""

    name: str
    has_default: bool


class Template(BoundTemplate):
    """A parsed template. The names in it are the contact's alone."""

    def make_partial_namespace(self, partial: bool, render_args: Mapping[str, object]) -> Mapping[str, object]:
        return render_args


class Rules(Environment):
    """What a template may use, and how much of it."""

    block_nesting_limit = 8
    context_depth_limit = 12
    loop_iteration_limit = LONGEST_LOOP
    local_namespace_limit = LONGEST_OUTPUT
    output_stream_limit = LONGEST_OUTPUT
    template_class = Template

    def setup_tags_and_filters(self, *, extra: bool = False) -> None:
        register(self)
        self.tags = {name: tag for name, tag in self.tags.items() if name not in NOT_FOR_MAIL}
        self.filters = {name: self.filters[name] for name in FILTERS}
        self.filters["date"] = _date
        self.filters["replace"] = _replace


@dataclass(frozen=True, slots=True)
class Field:
    """A plain tag: one name, perhaps a default. Call it with the values for its text."""

    name: str
    default: str | None
    html: bool

    def __call__(self, values: Mapping[str, object]) -> str:
        value = values.get(self.name)
        if type(value) is str and value and not (self.html and SPECIAL.search(value)):
            return value  # what nearly every field holds; `escape` alone takes longer than all else here
        return self.text(value)

    def text(self, value: object) -> str:
        """Return what the tag becomes for this value; None is a field that the contact does not have."""
        if type(value) is str:
            if value:
                return str(escape(value)) if self.html else value
            return self.default or ""
        if self.default is not None and (value is None or liquid_default(value, None) is None):
            return self.default
        return str(to_liquid_string(value, self.html))


class Masked:
    """HTML with a plain word for each merge tag, so that a parser neither breaks the tags nor is broken by them.

    Between elements `{% … %}` becomes a comment, which a parser leaves where it is even between the rows of a table.
    """

    def __init__(self, html: str) -> None:
        self._tags: list[str] = []
        self._nonce = next(f"mt{number}n" for number in range(len(html) + 1) if f"mt{number}n" not in html)
        words = TAG.sub(self._word, html)
        outside = re.compile(f"(?i:{NOT_TEXT})|(?P<block>{self._nonce}\\d+b)", re.DOTALL)
        self.html = outside.sub(lambda found: f"<!--{found[0]}-->" if found["block"] else found[0], words)

    def restored(self, text: str) -> str:
        """Return a text made from the masked HTML with its merge tags."""
        word = re.compile(rf"(<!--)?{self._nonce}(\d+)[vb](?(1)-->)")
        return word.sub(lambda found: self._tags[int(found[2])], text)

    def owns(self, comment: str) -> bool:
        """Return whether this comment stands for a merge tag."""
        return bool(re.fullmatch(rf"<!--{self._nonce}\d+b-->", comment))

    def _word(self, found: re.Match[str]) -> str:
        self._tags.append(found[0])
        return f"{self._nonce}{len(self._tags) - 1}{'b' if found[0].startswith('{%') else 'v'}"


@dataclass(frozen=True, slots=True)
class Region:
    """A piece of the template that Liquid renders for each recipient."""

    template: BoundTemplate

    def __call__(self, values: Mapping[str, object]) -> str:
        return _render(self.template, values)


@dataclass(frozen=True, slots=True)
class Plan:
    """A template in the order of its pieces: text that never changes, plain tags, and regions for Liquid."""

    pieces: tuple[str | Field | Region, ...]

    def render(self, values: Mapping[str, object]) -> str:
        return "".join([piece if isinstance(piece, str) else piece(values) for piece in self.pieces])

    def always_shows(self, name: str) -> bool:
        """Return whether every recipient sees this field, whatever the conditions in the template say."""
        found = [piece for piece in self.pieces if isinstance(piece, Field)]
        for region in self.pieces:
            if isinstance(region, Region):
                pieces = [_piece(node, region.template, html=False) for node in region.template.nodes]
                found += [piece for piece in pieces if isinstance(piece, Field)]
        return any(field.name == name for field in found)


def parse(source: str, *, html: bool = False) -> BoundTemplate:
    """Return the template, which escapes values when it is HTML. Raise MergeError."""
    _check_closed(source)
    try:
        template = _rules(html).from_string(source)
    except LiquidError as error:
        raise _explained(error, source) from error
    _check_filters(template, source)
    for expression in _expressions(template):
        _check_range(expression, source)
    return template


def render(source: str, values: Mapping[str, object], *, html: bool = False) -> str:
    """Return the text for these values by way of Liquid itself. Raise MergeError."""
    return _render(parse(source, html=html), values)


def compile(source: str, *, html: bool = False) -> Plan:
    """Return the template's fast form. Raise MergeError."""
    template = parse(source, html=html)
    if set(template.analyze().tags) & {"assign", "capture"}:  # a later piece may read what an earlier one set
        return Plan((Region(template),))
    pieces: list[str | Field | Region] = []
    for node in template.nodes:
        piece = _piece(node, template, html)
        if isinstance(piece, str) and pieces and isinstance(pieces[-1], str):
            pieces[-1] += piece
        elif piece != "":
            pieces.append(piece)
    return Plan(tuple(pieces))


def tags_of(source: str) -> list[Tag]:
    """Return the names that a template reads, in order, for the warning about empty fields. Raise MergeError."""
    template = parse(source)
    bare = _bare_names(template)
    return [Tag(name, name not in bare) for name in template.analyze().globals if name not in BUILT_IN]


def literal(text: str) -> str:
    """Return text as a template that says just this, braces and all."""
    return re.sub(r"\{(?=[{%])", '{{ "{" }}', text)


# -- inside ------------------------------------------------------------------------------------


@lru_cache(maxsize=2)
def _rules(html: bool) -> Rules:
    return Rules(autoescape=html)


def _render(template: BoundTemplate, values: Mapping[str, object]) -> str:
    try:
        return template.render(values)
    except LiquidError as error:
        raise _explained(error, "") from error
    except (ValueError, TypeError, ArithmeticError) as error:  # numbers beyond what Python will print
        raise MergeError(None, _("A value does not fit the filter it is put through.")) from error


def _piece(node: Node, template: BoundTemplate, html: bool) -> str | Field | Region:
    if isinstance(node, ContentNode):
        return node.text
    if isinstance(node, OutputNode) and isinstance(node.expression, FilteredExpression):
        plain = _plain(node.expression, html)
        if plain is not None:
            return plain
    return Region(Template(template.env, [node]))


def _plain(expression: FilteredExpression, html: bool) -> str | Field | None:
    left, filters = expression.left, expression.filters or []
    if isinstance(left, StringLiteral) and not filters:
        return left.value
    if not (isinstance(left, Path) and len(left.path) == 1 and isinstance(left.path[0], str)):
        return None
    name = left.path[0]
    if name in BUILT_IN:
        return None
    if not filters:
        return Field(name, None, html)
    if len(filters) == 1 and filters[0].name == "default" and len(filters[0].args) == 1:
        argument = filters[0].args[0]
        if isinstance(argument, PositionalArgument) and isinstance(argument.value, StringLiteral):
            return Field(name, argument.value.value, html)
    return None


def _walk(nodes: Iterable[Node], context: RenderContext) -> Iterator[Node]:
    for node in nodes:
        yield node
        yield from _walk(node.children(context, include_partials=False), context)


def _expressions(template: BoundTemplate) -> Iterator[Expression]:
    def below(expression: Expression) -> Iterator[Expression]:
        yield expression
        for child in expression.children():
            yield from below(child)

    for node in _walk(template.nodes, RenderContext(template)):
        for expression in node.expressions():
            yield from below(expression)


def _bare_names(template: BoundTemplate) -> set[str]:
    """Return the names that some output shows without a `default`."""
    bare = set()
    for expression in _expressions(template):
        if isinstance(expression, FilteredExpression) and isinstance(expression.left, Path):
            filters = [one.name for one in expression.filters or []]
            bare.update([] if "default" in filters else [str(expression.left.path[0])])
    return bare


def _check_closed(source: str) -> None:
    """Refuse what would keep Liquid's lexer looking for ends that never come."""
    rest = TAG.sub(lambda tag: re.sub(r"[^\n]", " ", tag[0]), source)
    unclosed = list(re.finditer(r"\{\{|\{%", rest))
    quoted = list(re.finditer(r"\{%-?\s*(?:raw|doc)\b", source))
    if len(unclosed) > MOST_UNCLOSED:
        raise _incomplete(rest.count("\n", 0, unclosed[0].start()) + 1)
    if len(quoted) - len(re.findall(r"\bend(?:raw|doc)\b", source)) > MOST_UNCLOSED:
        raise _incomplete(source.count("\n", 0, quoted[0].start()) + 1)


def _check_filters(template: BoundTemplate, source: str) -> None:
    for name, spans in template.analyze().filters.items():
        if name not in template.env.filters:
            known = ", ".join(FILTERS)
            advice = _("There is no filter “%(name)s”. These can be used: %(known)s.") % {"name": name, "known": known}
            raise MergeError(spans[0].line_col(source)[0], advice)


def _check_range(expression: Expression, source: str) -> None:
    if not isinstance(expression, RangeLiteral):
        return
    start, stop = expression.start, expression.stop
    if (
        isinstance(start, IntegerLiteral)
        and isinstance(stop, IntegerLiteral)
        and stop.value - start.value < LONGEST_LOOP
    ):
        return
    line = source.count("\n", 0, max(expression.token.start_index, 0)) + 1
    raise MergeError(line, _("A range must run between two numbers that are less than 1,000 apart."))


def _explained(error: LiquidError, source: str) -> MergeError:
    """Return the error in words for the person who wrote the template."""
    where = error.context() if source else None
    line = where[0] if where else None
    if isinstance(error, ResourceLimitError):
        return MergeError(line, _("The merge tags do too much: blocks too deep, loops too long, or too much text."))
    if not isinstance(error, LiquidSyntaxError):
        return MergeError(line, _("A value does not fit the filter it is put through."))
    unclosed = re.search(r"expected tag (end\w+)", str(error.message))
    if unclosed:
        return MergeError(line, _("“{%% %(tag)s %%}” is missing.") % {"tag": unclosed[1]})
    unknown = re.search(r"unexpected tag '(\w+)'", str(error.message))
    if unknown:
        return MergeError(line, _("“{%% %(tag)s %%}” cannot be used here.") % {"tag": unknown[1]})
    return _incomplete(line)


def _incomplete(line: int | None) -> MergeError:
    return MergeError(line, _("This merge tag is not complete. Write it like %(example)s.") % {"example": EXAMPLE})


@with_environment
@liquid_filter
def _date(value: object, form: object = "%Y-%m-%d", *, environment: Environment) -> object:
    """Return a date in the form of strftime, without the widths that could fill the memory."""
    text = str(form)
    if len(text) > 100 or re.search(r"%[^A-Za-z%-]", text):
        raise FilterArgumentError("date: bad form", token=None)
    return liquid_date(value, text, environment=environment) if value else ""


@string_filter
def _replace(value: str, old: object, new: object = "") -> str:
    """Return the text with `old` replaced, if that leaves it short enough."""
    before, after = str(old), str(new)
    if len(value) + value.count(before) * len(after) > LONGEST_OUTPUT:
        raise FilterArgumentError("replace: too long", token=None)
    return value.replace(before, after)
