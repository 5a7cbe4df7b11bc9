"""The addresses of the portal. An id of the other environment gives 404."""

from django.urls import path, register_converter

from organizations import views
from organizations.models import Environment


class EnvironmentConverter:
    """One of the two environments."""

    regex = "staging|production"

    def to_python(self, value: str) -> Environment:
        return Environment(value)

    def to_url(self, value: str) -> str:
        return str(value)


class OidConverter:
    """Text in the form of an OID. The view looks up whether a record has it."""

    regex = r"(?=[0-9.]{1,64}/)[0-2](?:\.[0-9]+)+"  # at most as long as an OID

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(EnvironmentConverter, "environment")
register_converter(OidConverter, "oid")

RECORD = "<environment:environment>/organizations/<oid:oid>/"
SUBMISSION = "<environment:environment>/submissions/<int:number>/"
PLAN = "<environment:environment>/plans/<int:plan>/"
TAKE_OVER = "<environment:environment>/directory/take-over/<int:list_number>/"
PERSON = "people/<int:person>/"

urlpatterns = [
    path("", views.home.page, name="home"),
    path("search/", views.search.page, name="search"),
    path("<environment:environment>/organizations/", views.organizations.page, name="organizations"),
    path("<environment:environment>/organizations/export/", views.organizations.export, name="organizations-export"),
    path("<environment:environment>/organizations/check/", views.check_records.page, name="organizations-check"),
    path(
        "<environment:environment>/organizations/check/export/",
        views.check_records.export,
        name="organizations-check-export",
    ),
    path("<environment:environment>/organizations/new/", views.edit.new, name="organization-new"),
    path("<environment:environment>/organizations/suggestions/", views.edit.suggestions, name="suggestions"),
    path(RECORD, views.record.page, name="record"),
    path(RECORD + "branch/", views.organizations.branch, name="branch"),
    path(RECORD + "submissions/", views.record.submissions, name="record-submissions"),
    path(RECORD + "history/", views.record.history, name="record-history"),
    path(RECORD + "edit/", views.edit.edit, name="edit"),
    path(RECORD + "review/", views.review.page, name="review"),
    path(RECORD + "counterpart/", views.counterparts.page, name="counterpart"),
    path(RECORD + "differences/", views.differences.page, name="differences"),
    path(RECORD + "ask/", views.differences.ask, name="record-ask"),
    path(RECORD + "discard/", views.record.discard, name="discard"),
    path(RECORD + "withdraw/", views.record.withdraw, name="withdraw"),
    path(RECORD + "state/", views.statement.page, name="statement"),
    path(RECORD + "deactivate/", views.deactivation.deactivate, name="deactivate"),
    path(RECORD + "reactivate/", views.deactivation.reactivate, name="reactivate"),
    path("<environment:environment>/submissions/", views.submissions.outbox, name="submissions"),
    path(SUBMISSION, views.submissions.page, name="submission"),
    path(SUBMISSION + "state/", views.submissions.state, name="submission-state"),
    path(SUBMISSION + "cancel/", views.submissions.cancel, name="submission-cancel"),
    path(SUBMISSION + "ask/", views.submissions.ask, name="submission-ask"),
    path(SUBMISSION + "decide/", views.decision.decide_submission, name="submission-decide"),
    path("<environment:environment>/plans/", views.plans.index, name="plans"),
    path("<environment:environment>/plans/new/", views.plans.new, name="plan-new"),
    path(PLAN, views.plans.page, name="plan"),
    path(PLAN + "state/", views.plans.state, name="plan-state"),
    path(PLAN + "pause/", views.plans.pause, name="plan-pause"),
    path(PLAN + "go-on/", views.plans.resume, name="plan-resume"),
    path(PLAN + "stop/", views.plans.stop, name="plan-stop"),
    path("audit/", views.audit.page, name="audit"),
    path("audit/export/", views.audit.export, name="audit-export"),
    path("audit/<int:sequence>/", views.audit.entry, name="audit-entry"),
    path("audit/<int:sequence>/raw/", views.audit.raw, name="audit-raw"),
    path("<environment:environment>/directory/take-over/", views.take_over.begin, name="take-over"),
    path("<environment:environment>/directory/roll-call/", views.roll_call.page, name="roll-call"),
    path(TAKE_OVER, views.take_over.page, name="take-over-list"),
    path(TAKE_OVER + "<oid:oid>/", views.take_over.values, name="take-over-values"),
    path(TAKE_OVER + "link/", views.take_over.link, name="take-over-link"),
    path(TAKE_OVER + "progress/", views.take_over.progress, name="take-over-progress"),
    path("<environment:environment>/directory/", views.directory.page, name="directory"),
    path("<environment:environment>/connection/", views.connection.page, name="connection"),
    path("<environment:environment>/connection/check/", views.connection.check_connection, name="connection-check"),
    path("<environment:environment>/connection/go-on/", views.connection.resume_sending, name="connection-resume"),
    path("help/", views.help.page, name="help"),
    path("sign-in/", views.account.sign_in, name="sign-in"),
    path("sign-out/", views.account.sign_out, name="sign-out"),
    path("account/", views.account.page, name="account"),
    path("people/", views.people.page, name="people"),
    path("people/new/", views.people.new, name="person-new"),
    path(PERSON, views.people.change, name="person"),
    path(PERSON + "password/", views.people.first_password, name="person-password"),
    path(PERSON + "close/", views.people.close, name="person-close"),
    path(PERSON + "reopen/", views.people.reopen, name="person-reopen"),
    path("demonstration/", views.demonstration.set_behaviour, name="demonstration"),
]
