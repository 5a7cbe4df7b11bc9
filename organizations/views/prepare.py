"""A form of PRODUCTION that is filled from a record of STAGING: which record, and from which values it was filled."""

from django.core import signing
from django.http import Http404, HttpRequest

from organizations.models import Environment, Organization
from organizations.records import canonical, from_canonical
from organizations.services import search_text
from organizations.services.errors import RecordWithdrawn
from organizations.services.records.prepare import Basis

from .access import organization_or_404

GONE = (
    "The record of STAGING that this form was filled from was withdrawn. What you typed is kept, and nothing was saved."
    " Save it as a new record if it is still wanted; it will have no counterpart."
)
_SALT = "prepared from, with doubt"


def staging_record(request: HttpRequest, environment: Environment) -> Organization | None:
    """The record of STAGING that `from` in the address names; None if there is no `from`.

    Raises:
        Gone: it was withdrawn while its form was open.
        Http404: there is none, or this is not the form of PRODUCTION.
    """
    oid = request.GET.get("from")
    if oid is None:
        return None
    if environment != Environment.PRODUCTION:
        raise Http404("Only records of PRODUCTION are prepared from another environment.")
    named = _named(_posted(request)[0], oid)
    if named is None and request.method == "POST":
        raise RecordWithdrawn
    if named is None:
        raise Http404("No such record in STAGING.")
    return organization_or_404(Environment.STAGING, named.oid)


def _named(number: int, oid: str) -> Organization | None:
    """The record that the form was filled from, whatever OID it has now; before that the one with this OID."""
    staging = Organization.objects.in_environment(Environment.STAGING)
    return staging.filter(pk=number).first() if number else staging.filter(oid=search_text.oid_in(oid)).first()


def signed(staging: Organization, basis: Basis) -> str:
    """The basis of a form of this record, as text that nobody can change."""
    texts = [canonical(each) if each else "" for each in (basis.filled, basis.shown)]
    return signing.dumps([staging.pk, *texts, basis.doubt], salt=_SALT, compress=True)


def basis_of(request: HttpRequest) -> Basis:
    """The basis of a posted form; empty if it does not say."""
    _, *texts, doubt = _posted(request)
    filled, shown = (from_canonical(text) if text else None for text in texts)
    return Basis(filled, shown, doubt)


def _posted(request: HttpRequest) -> tuple[int, str, str, str]:
    try:
        number, filled, shown, doubt = signing.loads(request.POST.get("basis", ""), salt=_SALT)
    except signing.BadSignature:
        return 0, "", "", ""
    return number, filled, shown, doubt
