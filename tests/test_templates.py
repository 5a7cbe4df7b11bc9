"""The parts of templates: tags, filters, components and the fields of forms."""

import datetime
import re
from functools import cache
from pathlib import Path
from types import MethodType, SimpleNamespace
from typing import cast

import pytest
from django import forms
from django.core.paginator import Paginator
from django.template import TemplateSyntaxError, engines
from django.template.backends.jinja2 import Jinja2
from django.template.loader import get_template
from django.test import RequestFactory
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.safestring import mark_safe
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment, UndefinedError, nodes
from markupsafe import Markup

from organizations.forms.problems import problems
from organizations.records import AddressRecord, OrganizationRecord, difference
from organizations.text import markup, vocabulary
from tests.page_text import compact

ROOT = Path(__file__).resolve().parent.parent
TEMPLATES = {
    str(path.relative_to(ROOT / "templates")): path.read_text() for path in (ROOT / "templates").rglob("*.html")
}
LONG_AGO = datetime.datetime(2001, 5, 9, 19, 3, 22, tzinfo=datetime.UTC)
OID = "2.16.840.1.113883.3.6147.458.99999.1.1.1.1"
HOSTILE = "<b onclick=x>\"'&"


def render(source: str, **context: object) -> str:
    return str(engines["jinja2"].from_string(source).render(context))


def component(name: str, **values: object) -> str:
    """The output of a macro of `templates/components/macros.html` for these values."""
    return compact(str(getattr(environment().get_template("components/macros.html").module, name)(**values)))


def environment() -> Environment:
    return cast(Jinja2, engines["jinja2"]).env


class Identity(forms.Form):
    name = forms.CharField(label="Name", help_text="As others will see it in the directory.")
    part_of = forms.ChoiceField(
        label="PartOf", choices=[("ours", "A record of ours"), ("other", "Another OID")], widget=forms.RadioSelect
    )
    tick = forms.BooleanField(label="A warning")


class Phone(forms.Form):
    work_phone = forms.CharField(label="Work phone", error_messages={"required": "Enter a phone."})

    def clean(self):
        raise forms.ValidationError("Enter a name, an e-mail address or a phone, or remove the contact.")


def phones(**data: str) -> forms.BaseFormSet:
    formset = forms.formset_factory(Phone, extra=0, can_delete=True)
    return formset({"form-TOTAL_FORMS": "1", "form-INITIAL_FORMS": "1", **data})


# text from elsewhere


@given(st.text(alphabet=st.characters(), max_size=60))
def test_plain_text_can_be_encoded_and_has_no_invisible_character(text):
    html = markup.plain(text)
    html.encode()
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", html)


def test_plain_escapes_invisible_characters():
    assert markup.plain("a\x00b\u202ec\ud800d\U000e0041\r") == "a\\u0000b\\u202Ec\\uD800d\\U000E0041\\u000D"


def test_plain_leaves_ordinary_text_alone():
    assert markup.plain("Zoë’s Clinic, 7½ Ōmachi\n\t日本 👩‍⚕️") == "Zoë’s Clinic, 7½ Ōmachi\n\t日本 👩‍⚕️"


def test_plain_text_is_still_escaped():
    assert render("{{ text|plain }}", text=HOSTILE) == "&lt;b onclick=x&gt;&#34;&#39;&amp;"


# values


@pytest.mark.parametrize(
    ("value", "html"),
    [
        (HOSTILE, "&lt;b onclick=x&gt;&#34;&#39;&amp;"),
        (type("Text", (str,), {})(HOSTILE), "&lt;b onclick=x&gt;&#34;&#39;&amp;"),
        (Markup("<b>7</b>"), "<b>7</b>"),
        (mark_safe("<b>7</b>"), "<b>7</b>"),
        (1_000, "1000"),
        (None, "None"),
        ([HOSTILE], "[&#39;&lt;b onclick=x&gt;&#34;\\&#39;&amp;&#39;]"),
    ],
)
def test_a_value_is_escaped_unless_it_is_markup(value, html):
    assert render("{{ value }}", value=value) == html
    assert render("{% macro shown(value) %}{{ value }}{% endmacro %}{{ shown(value) }}", value=value) == html


def test_a_method_that_is_not_called_is_an_error():
    with pytest.raises(TypeError, match=r"str\.upper is not called"):
        render("{{ text.upper }}", text=type("Text", (), {"upper": MethodType(str.upper, "a")})())


def test_an_undefined_name_is_an_error():
    with pytest.raises(UndefinedError):
        render("{{ misspelt }}")


# times


def test_a_moment_shows_the_users_zone_and_utc_on_focus():
    assert render("{{ moment(value) }}", value=LONG_AGO) == (
        '<time datetime="2001-05-09T19:03:22Z" data-utc="May 9, 2001, 19:03 UTC" tabindex="0">'
        "May 9, 2001, 14:03 CDT</time>"
    )


def test_a_moment_with_seconds_shows_them_in_utc_too():
    html = render('{{ moment(value, "seconds") }}', value=LONG_AGO)
    assert 'data-utc="May 9, 2001, 19:03:22 UTC"' in html
    assert ">May 9, 2001, 14:03:22 CDT<" in html


def test_a_moment_in_a_long_table_can_be_without_a_tab_stop():
    assert "tabindex" not in render('{{ moment(value, "day", focus=false) }}', value=LONG_AGO)


def test_a_moment_follows_the_zone_in_force():
    with timezone.override("UTC"):
        assert ">May 9, 2001, 19:03 UTC<" in render("{{ moment(value) }}", value=LONG_AGO)


def test_an_age_is_in_words_with_its_time():
    value = timezone.now() - datetime.timedelta(minutes=26, seconds=5)
    html = render("{{ age(value) }}", value=value)
    assert ' data-age="1565">26 minutes</time>' in html
    assert f"{timezone.localtime(value):%H:%M}" in html


@pytest.mark.parametrize("tag", ["moment", "age"])
def test_a_missing_time_reads_never(tag):
    assert render(f"{{{{ {tag}(value) }}}}", value=None) == "never"


# OIDs


def test_only_an_oid_in_a_text_gets_its_own_element():
    html = render("{{ value|with_oids }}", value="<North> (2.16.840.1.99) of 10.1.2.3, v1.2, 2.16.840.1.98.\u202e")
    assert html == (
        '&lt;North&gt; (<span class="oid">2.<wbr>16.<wbr>840.<wbr>1.<wbr>99</span>) of 10.1.2.3, v1.2, '
        '<span class="oid">2.<wbr>16.<wbr>840.<wbr>1.<wbr>98</span>.\\u202E'
    )


def test_a_phone_number_in_a_text_does_not_wrap():
    html = render("{{ value|with_oids }}", value="Desk, +16085550115, a+1608555@x.example")
    assert html == 'Desk, <span class="text-nowrap">+16085550115</span>, a+1608555@x.example'


@given(st.lists(st.integers(min_value=0, max_value=10**20), min_size=1, max_size=12))
def test_an_oid_is_shown_whole_and_wraps_after_its_dots_only(arcs):
    for oid in (".".join(map(str, arcs)), markup.SHARED_ARCS + ".".join(map(str, arcs))):
        html = str(markup.long_oid(oid))
        assert strip_tags(html) == oid
        assert all(before.rstrip("</span>").endswith(".") for before in html.split("<wbr>")[:-1])


def test_an_oid_in_a_table_leaves_out_the_arcs_that_all_share():
    assert markup.short_oid(OID) == "<span>…458.</span>99999.1.1.1.1"


def test_a_foreign_oid_is_never_shortened():
    assert markup.short_oid("1.2.3.4") == "1.2.3.4"


def test_text_that_is_not_an_oid_is_escaped():
    assert "<b" not in markup.short_oid(HOSTILE)
    assert "<b" not in markup.long_oid(HOSTILE)


# icons


@cache
def symbols() -> set[str]:
    return set(re.findall(r'<symbol id="i-([^"]+)"', (ROOT / "static" / "icons.svg").read_text()))


def test_an_icon_is_hidden_from_screen_readers():
    assert render('{{ icon("pencil", "is-work") }}') == (
        '<svg class="icon is-work" aria-hidden="true"><use href="/static/icons.svg#i-pencil"/></svg>'
    )


def test_every_template_can_be_compiled():
    assert {name: error for name in TEMPLATES if (error := template_error(name))} == {}


def template_error(name: str) -> str:
    try:
        get_template(name)
    except TemplateSyntaxError as error:
        return str(error)
    return ""


def test_every_macro_that_a_template_imports_exists():
    missing = {
        (name, node.template.as_const(), macro)
        for name, source in TEMPLATES.items()
        for node in environment().parse(source).find_all(nodes.FromImport)
        for macro in node.names
        if not hasattr(environment().get_template(node.template.as_const()).module, str(macro))
    }
    assert missing == set()


def test_one_macro_writes_the_path_of_every_page():
    assert {name for name, source in TEMPLATES.items() if 'class="path"' in source} == {"components/macros.html"}


def test_no_line_of_a_template_has_more_than_120_characters():
    long = [
        f"{name}:{number}"
        for name, source in TEMPLATES.items()
        for number, line in enumerate(source.splitlines(), 1)
        if len(line) > 120
    ]
    assert long == []


def test_every_icon_that_a_template_names_is_in_the_sprite():
    named = {name: set(re.findall(r'icon\("([^"]+)"', source)) for name, source in TEMPLATES.items()}
    assert any(named.values())
    assert {name: icons - symbols() for name, icons in named.items() if icons - symbols()} == {}


def test_no_template_has_inline_code():
    inline = re.compile(r"""<style|\sstyle=|<script(?![^>]*\ssrc=)|\son[a-z]+=|javascript:""")
    assert {name: inline.findall(source) for name, source in TEMPLATES.items() if inline.search(source)} == {}


# messages


def test_the_key_of_a_json_line_has_its_own_element():
    assert markup.json_line('  "Name": "a: \\"b\\"",') == "  <i>&quot;Name&quot;:</i> &quot;a: \\&quot;b\\&quot;&quot;,"
    assert markup.json_line('    "LN"') == "    &quot;LN&quot;"


def test_a_message_is_shown_line_by_line_with_links_to_what_changed():
    lines = [
        SimpleNamespace(text="{", source="", rule="", changed=False),
        SimpleNamespace(text='  "Name": "<b>"', source="Name", rule="", changed=True),
    ]
    html = component("message_lines", lines=lines)
    assert '<tr class="changed" id="line-2"><td class="from">Name</td>' in html
    assert "&lt;b&gt;" in html


# problems and fields


def test_problems_follow_the_order_given_and_link_to_their_fields():
    form, formset = Identity({}), phones()
    assert problems(form["name"], formset, form["part_of"]) == [
        ("id_name", "This field is required."),
        ("", "Enter a name, an e-mail address or a phone, or remove the contact."),
        ("id_form-0-work_phone", "Enter a phone."),
        ("id_part_of_0", "This field is required."),
    ]


def test_a_problem_of_a_whole_list_links_to_its_place():
    formset = forms.formset_factory(Phone, min_num=2, validate_min=True)
    data = {"phones-TOTAL_FORMS": "0", "phones-INITIAL_FORMS": "0"}
    assert problems(formset(data, prefix="phones")) == [("phones", "Please submit at least 2 forms.")]


def test_a_removed_form_has_no_problems():
    assert problems(phones(**{"form-0-DELETE": "on"})) == []


def test_an_untouched_form_has_no_problems():
    assert problems(Identity()) == []


def test_problems_of_hostile_text_are_escaped():
    assert "<b" not in component("problem_summary", problems=[("id_name", HOSTILE)])


def test_no_problem_shows_nothing():
    assert component("problem_summary", problems=[]).strip() == ""


def test_a_field_is_label_hint_control_and_then_its_error():
    html = render("{{ form.name|as_crispy_field }}", form=Identity({}))
    places = [html.index(part) for part in ("<label", 'id="id_name_helptext"', "<input", 'id="id_name_error"')]
    assert places == sorted(places)
    assert 'aria-describedby="id_name_helptext id_name_error"' in html
    assert 'aria-invalid="true"' in html


def test_a_choice_is_a_group_with_a_name():
    html = render("{{ form.part_of|as_crispy_field }}", form=Identity({"part_of": "other"}))
    assert '<legend class="label">PartOf</legend>' in html
    assert re.search(r'value="other"[^>]*checked', html)
    assert not re.search(r'value="ours"[^>]*checked', html)
    refused = render("{{ form.part_of|as_crispy_field }}", form=Identity({}))
    assert refused.rindex('type="radio"') < refused.index('id="id_part_of_error"')


def test_a_checkbox_is_before_its_label():
    html = render("{{ form.tick|as_crispy_field }}", form=Identity({}))
    assert html.index('type="checkbox"') < html.index("<label")
    assert 'id="id_tick_error"' in html


# components


def test_text_from_elsewhere_is_cut_after_2000_characters_and_can_be_shown_whole():
    html = component("as_written", text="x" * 2500 + HOSTILE)
    assert "As Redox wrote it" in html
    assert f">{'x' * 2000}…<" in html
    assert f"show all {2500 + len(HOSTILE)} characters" in html
    assert f"{'x' * 2500}&lt;b onclick" in html


def test_a_short_text_from_elsewhere_is_shown_whole_with_invisible_characters_escaped():
    assert ">a\\u0000<" in component("as_written", text="a\x00")


def test_an_empty_side_of_a_difference_reads_none():
    before = OrganizationRecord(oid=OID, name="Lakeside North")
    after = OrganizationRecord(oid=OID, name="Lakeside North", address=AddressRecord(zip_code="53703"))
    html = component(
        "difference_table", rows=difference(before, after), before_heading="Last accepted", after_heading="Will be sent"
    )
    assert '<td data-label="Last accepted"><span class="muted">none</span></td>' in html
    assert '<ins class="oid">53703</ins>' in html


def test_a_difference_names_who_changed_it():
    row = {"field": "name", "label": "Name", "before": "a", "after": HOSTILE, "by": "Editor One", "edit_url": "/edit/"}
    html = component("difference_table", rows=[row], before_heading="a", after_heading="b", by_heading="Changed by")
    assert '<td data-label="Changed by">Editor One <a href="/edit/" aria-label="Change Name">Change</a>' in html
    assert "<b " not in html


def test_a_copied_value_is_complete_and_escaped():
    assert f'data-copy="{OID}" aria-label="Copy the OID of Lakeside"' in markup.oid_text(OID, short=True, of="Lakeside")
    for button in (markup.copy_button(HOSTILE, label=HOSTILE), markup.oid_text(HOSTILE, short=True, of=HOSTILE)):
        assert "<b " not in button
        assert 'data-copy="&lt;b onclick=x&gt;&#34;&#39;&amp;"' in button


def test_a_sending_button_names_its_environment():
    html = component("send_button", environment="production", label="Send update to PRODUCTION")
    assert "#i-production" in html
    assert "disabled" not in html


def test_a_disabled_send_button_gives_the_reason():
    html = component("send_button", environment="staging", label="Create in STAGING", block_reason="You cannot.")
    assert 'disabled aria-describedby="block-reason"' in html
    assert '<p class="hint" id="block-reason">You cannot.</p>' in html


def test_a_status_is_icon_and_word():
    html = component("status_mark", word=vocabulary.SUBMISSION_STATE["rejected"])
    assert '<span class="status is-no">' in html
    assert "#i-x-circle" in html
    assert "Rejected" in html


def test_pages_keep_the_rest_of_the_address():
    request = RequestFactory().get("/", {"q": "harbor", "page": "2"})
    html = component("pagination", page=Paginator(range(61), 25).page(2), request=request)
    assert 'href="?q=harbor&amp;page=1"' in html
    assert 'href="?q=harbor&amp;page=3"' in html
    assert "26 to 50 of 61" in html


@pytest.mark.parametrize("name", ["400.html", "405.html", "414.html", "500.html", "503.html"])
def test_the_error_pages_need_no_request(name):
    assert "<h1>" in get_template(name).render({"limit": "", "back_url": "", "number": ""})


def test_the_explanation_of_a_status_is_read_with_it_and_links_to_the_help():
    html = component(
        "status_mark", word=vocabulary.STANDING["seen"], sentence="The directory showed this record.", id="why"
    )
    assert 'popovertarget="why" aria-describedby="why-sentence"' in html
    assert '<span id="why-sentence">The directory showed this record.</span>' in html
    assert 'href="/help/#seen"' in html
    assert "/help/" not in component(
        "status_mark", word=vocabulary.STANDING["active"], sentence="It is active.", id="why"
    )
