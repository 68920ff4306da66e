from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from campaigns.imports.mapping import LABELS, key_of
from campaigns.models import ContactField, MailingList, Subscription

SKIP, NEW = "", "new"


class ImportForm(forms.Form):
    file = forms.FileField(
        label=_("File to import"),
        error_messages={"required": _("Choose a file."), "empty": _("The file is empty.")},
        help_text=_("CSV or TSV, up to 100 MB. From Excel: “Save as”, then CSV."),
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
    )
    list = forms.ModelChoiceField(
        MailingList.objects.none(), label=_("List to add to"), required=False, empty_label=_("Create a new list")
    )
    new_list = forms.CharField(label=_("Name of the new list"), required=False, max_length=100)
    basis = forms.ChoiceField(
        label=_("Consent basis for new people"),
        error_messages={"required": _("Choose a consent basis.")},
        widget=forms.RadioSelect,
        choices=Subscription.Basis.choices,
        help_text=_("Recorded for each person, as the Japanese anti-spam law requires."),
    )

    def __init__(self, *args: Any, account: Account, **kwargs: Any) -> None:
        self.account = account
        super().__init__(*args, **kwargs)
        lists = MailingList.objects.of(account)
        self.fields["list"].queryset = lists  # type: ignore[attr-defined]
        self.initial.setdefault("list", lists.first())

    def clean_file(self) -> Any:
        file = self.cleaned_data["file"]
        if file.size > settings.MAX_IMPORT_BYTES:
            raise forms.ValidationError(_("The file is larger than 100 MB. Split it."))
        if file.name.lower().endswith((".xlsx", ".xls", ".ods", ".numbers")):
            raise forms.ValidationError(_("This is a workbook. Open it, choose “Save as”, and save it as CSV."))
        return file

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not data.get("list") and not data.get("new_list", "").strip():
            self.add_error("new_list", _("Choose a list, or enter a name for a new one."))
        return data

    def chosen_list(self) -> MailingList:
        name = self.cleaned_data["new_list"].strip()
        own = MailingList.objects.of(self.account)
        chosen: MailingList | None = self.cleaned_data["list"]
        return chosen or own.get_or_create(account=self.account, name=name)[0]


class ShapeForm(forms.Form):
    """How the file is read; empty values are found out."""

    encoding = forms.ChoiceField(
        label=_("Character encoding"),
        choices=[
            ("cp932", _("Shift_JIS (CP932)")),
            ("utf-8", "UTF-8"),
            ("utf-8-sig", _("UTF-8 with a byte order mark")),
            ("utf-16", "UTF-16"),
            ("utf-16-le", "UTF-16 LE"),
            ("utf-16-be", "UTF-16 BE"),
            ("iso-2022-jp", "ISO-2022-JP"),
            ("euc-jp", "EUC-JP"),
        ],
    )
    delimiter = forms.ChoiceField(
        label=_("Delimiter"), choices=[(",", _("Comma")), ("\t", _("Tab")), (";", _("Semicolon"))]
    )
    heading_rows = forms.TypedChoiceField(
        label=_("Rows of headings"),
        required=False,
        coerce=int,
        empty_value=None,
        choices=[("", _("Find out")), (0, _("None")), (1, _("1 row")), (2, _("2 rows")), (3, _("3 rows"))],
    )


class ColumnsForm(forms.Form):
    """A target for each column of the file."""

    def __init__(
        self, *args: Any, account: Account, headings: list[str], targets: dict[int, str], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.headings = headings
        choices = target_choices(account)
        for at, heading in enumerate(headings):
            label = heading or str(_("Column %(number)s") % {"number": at + 1})
            own = [*choices, (NEW, _("Create a new field"))] if heading else choices
            target = targets.get(at, SKIP)
            if target and target not in dict(own):
                own = [*own, (target, LABELS.get(target.removeprefix("field:"), label))]
            self.fields[f"column_{at}"] = forms.ChoiceField(label=label, required=False, choices=own, initial=target)

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        chosen = [target for target in data.values() if target and target != NEW]
        if "address" not in chosen:
            raise forms.ValidationError(_("Choose the column that holds the email addresses."))
        twice = {target for target in chosen if chosen.count(target) > 1}
        for name, target in list(data.items()):  # an error takes its value out
            if target in twice:
                self.add_error(name, _("Another column has this target, too."))
        return data

    def targets(self) -> dict[int, str]:
        found = {}
        for name, target in self.cleaned_data.items():
            at = int(name.removeprefix("column_"))
            if target:
                found[at] = f"field:{key_of(self.headings[at])}" if target == NEW else target
        return found


def target_choices(account: Account) -> list[tuple[str, Any]]:
    own = {f"field:{field.key}": field.label for field in ContactField.objects.of(account)}
    return [
        (SKIP, _("Do not import")),
        ("address", _("Address")),
        ("name", _("Name")),
        ("family_name", _("Family name")),
        ("given_name", _("Given name")),
        *own.items(),
    ]
