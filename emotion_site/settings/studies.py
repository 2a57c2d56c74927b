"""Studies: who may run them, how large their stimuli may be, and what the site is for."""

from django.core.exceptions import ImproperlyConfigured

from emotion_site.settings.environment import env

#: Who may create studies; who was invited into a team works on that study in any case.
STUDIES_BY = env.str("STUDIES_BY", default="everyone")
if STUDIES_BY not in {"everyone", "staff", "nobody"}:
    raise ImproperlyConfigured("STUDIES_BY is everyone, staff or nobody.")
#: Bytes of one image, video or sound, and of all those of a study.
STIMULUS_MAXIMUM_BYTES = env.int("STIMULUS_MAXIMUM_MEGABYTES", default=95) * 1024 * 1024
STUDY_MAXIMUM_BYTES = env.int("STUDY_MAXIMUM_MEGABYTES", default=1000) * 1024 * 1024
#: What the operator runs the site for, and who answers for it: shown in the footer, on consent
#: pages and in data-protection sheets. A file of plain text is the legal page.
DEPLOYMENT_PURPOSE = env.str("DEPLOYMENT_PURPOSE", default="")
OPERATOR_CONTACT = env.str("OPERATOR_CONTACT", default="")
LEGAL_PAGE = env.str("LEGAL_PAGE", default="")
