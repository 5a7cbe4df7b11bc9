"""What templates of Django's own engine need beyond Django: crispy renders each field with one."""

from django import template

from organizations.text import markup

register = template.Library()
register.simple_tag(markup.icon)
register.filter("plain", markup.plain)
