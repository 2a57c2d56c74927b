"""Form fields in the site's look."""

from django import template
from django.forms import BoundField
from django.utils.safestring import SafeString

register = template.Library()


@register.filter
def with_class(field: BoundField, css_class: str) -> SafeString:
    """Draw a field's widget with a CSS class, and another where it has errors.

    allauth's placeholders say again what the label above says; they are left out.
    """
    classes = f"{css_class} is-invalid" if field.errors else css_class
    return field.as_widget(attrs={"class": classes, "placeholder": False})
