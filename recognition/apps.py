from django.apps import AppConfig


class RecognitionConfig(AppConfig):
    name = "recognition"

    def ready(self) -> None:
        from recognition import checks, files  # noqa: F401  (they register themselves)
