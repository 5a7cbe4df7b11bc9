"""The review of one record: exactly what would be sent, and what to confirm first."""

from collections.abc import Collection
from dataclasses import dataclass

from django.http import QueryDict

from organizations.forms.review import PostedReview, ReviewForm
from organizations.models import Environment, Organization, User
from organizations.pages import Page
from organizations.pages.addresses import counterpart_url, path_to
from organizations.pages.review.duplicates import DuplicatesShown, duplicates_shown
from organizations.pages.review.message import ReviewContent, review_content
from organizations.permissions import ASK, Right, block_reason, right_to_send
from organizations.services.directory.duplicates import Duplicates
from organizations.services.review.reviews import Review


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPage(Page):
    """`content` is the review in words. `notes` say why the last press of the button sent nothing."""

    template = "review/page.html"

    content: ReviewContent
    review: Review
    form: ReviewForm
    organization: Organization
    notes: Collection[str]
    is_unsaved: bool
    block_reason: str
    ask_block_reason: str
    duplicates: DuplicatesShown | None
    path: list[tuple[str, str]]
    switch_url: str


def build(
    review: Review,
    user: User,
    form: ReviewForm | None = None,
    *,
    bound: PostedReview | None = None,
    missing: Collection[str] = (),
    notes: Collection[str] = (),
    duplicates: Duplicates | None = None,
) -> ReviewPage:
    """`bound` and `form` are what was posted; `missing` are the keys of the boxes that must still be ticked."""
    organization = review.organization
    environment = Environment(organization.environment)
    since, ticked = (bound.version, bound.ticked) if bound else (None, frozenset[str]())
    return ReviewPage(
        content=review_content(review, since_version=since, ticked=ticked, missing=missing),
        review=review,
        form=form or review_form(review),
        organization=organization,
        notes=notes,
        is_unsaved=bound is not None,
        block_reason=block_reason(user, right_to_send(environment)),
        ask_block_reason=block_reason(user, Right.EDIT, environment, ASK),
        duplicates=duplicates_shown(duplicates) if duplicates else None,
        path=path_to(organization, "Review"),
        switch_url=counterpart_url(organization),
    )


def review_form(review: Review, data: QueryDict | None = None, *, reason: str = "") -> ReviewForm:
    """The form with what was posted, or with a reason that is not checked yet."""
    return ReviewForm(
        data, needs_reason=review.needs_reason, environment_name=review.environment_name, initial={"reason": reason}
    )
