from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.invitations import AlreadyThere, invite
from operations.mails import NotSent


class Command(BaseCommand):
    help = "Make accounts and send each person a link to set a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email", nargs="+")
        languages = [code for code, _name in settings.LANGUAGES]
        parser.add_argument("--language", choices=languages, help="of the mail; default: en")

    def handle(self, *args: Any, **options: Any) -> None:
        failed = False
        for email in options["email"]:
            try:
                user, link = invite(email, language=options["language"])
            except ValidationError:
                self.stderr.write(f"{email} is no e-mail address.")
            except AlreadyThere:
                self.stderr.write(f"{email} already has an account.")
            except NotSent as error:
                self.stderr.write(f"The invitation of {email} {error}.")
            else:
                self.stdout.write(f"{user.email} is invited.")
                if not settings.CAN_MAIL:
                    self.stdout.write(f"No mail is set up. Pass on this link yourself: {link}")
                continue
            failed = True
        if failed:
            raise CommandError("Not everybody was invited.")
