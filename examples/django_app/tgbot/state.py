"""Where the bot's state is: in the site's own database, where that is PostgreSQL."""

from urllib.parse import quote

from django.conf import settings


def state() -> str:
    """The URL of `DATABASES["default"]`; else the usual place ("auto"): SYNCBOT_STATE, or a file."""
    found = settings.DATABASES.get("default", {})
    if "postgresql" not in found.get("ENGINE", ""):
        return "auto"
    user, password = (quote(str(found.get(name) or ""), safe="") for name in ("USER", "PASSWORD"))
    server = f"{found.get('HOST') or ''}{':' if found.get('PORT') else ''}{found.get('PORT') or ''}"
    return f"postgresql://{user}{':' if password else ''}{password}{'@' if user else ''}{server}/{quote(found['NAME'])}"
