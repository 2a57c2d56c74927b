from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class RecognitionConfig(AppConfig):
    name = "recognition"
    verbose_name = _("Recognition")

    def ready(self) -> None:
        from recognition import people

        people.register()
        # They register themselves: checks, what follows a change of a row, and tasks.
        from recognition import tasks  # noqa: F401 (they register themselves)
        from recognition.model_registry import checks  # noqa: F401 (they register themselves)
        from recognition.uploads import files  # noqa: F401 (they register themselves)
        from recognition.webhooks import access  # noqa: F401 (they register themselves)
