"""The page of the search box."""

from dataclasses import dataclass

from organizations.models import Environment
from organizations.pages import Page
from organizations.pages.search import hits
from organizations.pages.search.hits import SearchHits


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPage(Page):
    """`results` is None while nothing is typed; `current` is the environment from which the search came."""

    template = "search/page.html"

    text: str
    results: SearchHits | None
    current: Environment | None

    @property
    def opens(self) -> str:
        """The address of the one submission that the text means; "" if there is a list to choose from."""
        if not self.results or not self.results.submissions:
            return ""
        is_meant = self.results.total == 1 or self.text.startswith("#")
        return self.results.submissions[0].url if is_meant else ""


def build(text: str, current: Environment | None) -> SearchPage:
    """The hits for a text as `search_text.typed` returns it."""
    return SearchPage(text=text, results=hits.find(text) if text else None, current=current)
