from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class StudiesConfig(AppConfig):
    name = "studies"
    verbose_name = _("Studies")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from studies import people, personal_data

        people.register()
        personal_data.register()
        # They register themselves: tasks, and what follows a row's deletion, or a study's opening.
        from studies import tasks  # noqa: F401 (they register themselves)
        from studies.planning import deleting, files, team  # noqa: F401 (they register themselves)
        from studies.taking_part import leaving  # noqa: F401 (they register themselves)
