"""The page to deactivate or reactivate a record. In PRODUCTION a person types its name to confirm."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.http import QueryDict

from organizations.forms.deactivation import DeactivationForm
from organizations.models import Environment, Organization, User
from organizations.pages import Page, record_choices
from organizations.pages.addresses import counterpart_url
from organizations.pages.deactivation.consequences import DeactivationContent, deactivation_content
from organizations.pages.deactivation.replacement import read_replacement
from organizations.pages.review import message as review_page
from organizations.permissions import ASK, Right, block_reason, right_to_send
from organizations.services.review.reviews import Review
from organizations.text import vocabulary


@dataclass(frozen=True, slots=True, kw_only=True)
class DeactivationPage(Page):
    """`content` is the review in words, `act` describes the change of Active. `is_unsaved`: something was typed."""

    template = "deactivation/page.html"

    organization: Organization
    standing: vocabulary.Word
    review: Review
    content: review_page.ReviewContent
    act: DeactivationContent
    form: DeactivationForm
    block_reason: str
    ask_block_reason: str
    is_unsaved: bool
    switch_url: str


def build(
    review: Review,
    user: User,
    form: DeactivationForm | None = None,
    *,
    ticked: Collection[str] = (),
    missing: Collection[str] = (),
    is_unsaved: bool = False,
) -> DeactivationPage:
    """`form` and `ticked` are what was posted; `missing` are the keys of the boxes that must still be ticked."""
    organization = review.organization
    environment = organization.environment
    return DeactivationPage(
        organization=organization,
        standing=vocabulary.STANDING[organization.standing],
        review=review,
        content=review_page.review_content(review, ticked=ticked, missing=missing),
        act=deactivation_content(review),
        form=form or empty_form(review),
        block_reason=block_reason(user, right_to_send(environment)),
        ask_block_reason=block_reason(user, Right.EDIT, environment, ASK),
        is_unsaved=is_unsaved,
        switch_url=counterpart_url(organization),
    )


def empty_form(review: Review, **typed: str) -> DeactivationForm:
    """The form of this review, with typed text that is not checked yet."""
    tied = {"sha256": review.sha256, "seen_submission": str(review.organization.last_submission_id or 0)}
    return _form(review, initial=tied | typed)


def posted_form(review: Review, data: QueryDict) -> DeactivationForm:
    return _form(review, data)


def _form(review: Review, data: QueryDict | None = None, **values: Any) -> DeactivationForm:
    organization, environment = review.organization, Environment(review.organization.environment)
    form = DeactivationForm(
        data,
        intent=review.intent,
        name=review.record.name if environment == Environment.PRODUCTION else "",
        environment_name=environment.label,
        replacement=lambda typed: read_replacement(environment, typed, without=[organization.pk]),
        **values,
    )
    if "replaced_by" in form.fields:
        form.fields["replaced_by"].widget.attrs |= record_choices.suggestion_attributes(environment)
    return form
