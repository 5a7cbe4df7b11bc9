"""The form of a PRODUCTION record that is filled from a STAGING record: which record, and with which values."""

from django.core import signing
from django.http import Http404, HttpRequest

from organizations.models import Environment, Organization
from organizations.records import canonical, from_canonical
from organizations.services import search_text
from organizations.services.errors import RecordWithdrawn
from organizations.services.records.prepare import FormBasis

from .access import organization_or_404

GONE = (
    "The STAGING record that filled this form was withdrawn. What you typed is kept, and nothing was saved."
    " If you still need the record, save it as a new one. It will have no counterpart."
)
_SALT = "prepared from, with doubt"


def staging_record(request: HttpRequest, environment: Environment) -> Organization | None:
    """The record of STAGING that `from` in the address names; None if there is no `from`.

    Raises:
        RecordWithdrawn: the record was withdrawn while its form was open.
        Http404: there is no such record, or this is not the form of PRODUCTION.
    """
    oid = request.GET.get("from")
    if oid is None:
        return None
    if environment != Environment.PRODUCTION:
        raise Http404("Only records of PRODUCTION are prepared from another environment.")
    source = _source_record(_read_basis(request)[0], oid)
    if source is None and request.method == "POST":
        raise RecordWithdrawn
    if source is None:
        raise Http404("No such record in STAGING.")
    return organization_or_404(Environment.STAGING, source.oid)


def _source_record(number: int, oid: str) -> Organization | None:
    """The record with this id, even if it has another OID now; without an id, the record with this OID."""
    staging = Organization.objects.in_environment(Environment.STAGING)
    return staging.filter(pk=number).first() if number else staging.filter(oid=search_text.oid_in(oid)).first()


def sign_basis(staging: Organization, basis: FormBasis) -> str:
    """The basis of a form of this record as signed text, so that nobody can change it."""
    texts = [canonical(each) if each else "" for each in (basis.filled, basis.shown)]
    return signing.dumps([staging.pk, *texts, basis.doubt], salt=_SALT, compress=True)


def basis_of(request: HttpRequest) -> FormBasis:
    """The basis of a posted form; empty if the form has none."""
    _, *texts, doubt = _read_basis(request)
    filled, shown = (from_canonical(text) if text else None for text in texts)
    return FormBasis(filled, shown, doubt)


def _read_basis(request: HttpRequest) -> tuple[int, str, str, str]:
    try:
        number, filled, shown, doubt = signing.loads(request.POST.get("basis", ""), salt=_SALT)
    except signing.BadSignature:
        return 0, "", "", ""
    return number, filled, shown, doubt
