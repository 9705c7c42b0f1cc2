"""The pages of the bot."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST
from syncbot.webhook import SECRET_HEADER

from {{package}}.bot import runtime, webhook


@csrf_exempt  # Telegram shows a secret of its own instead
@require_POST
def hook(request: HttpRequest) -> HttpResponse:
    """Take an update: 200 is answered once it is stored."""
    reply = webhook().receive(request.body, secret=request.headers.get(SECRET_HEADER), content_type=request.content_type)
    return HttpResponse(reply.text, status=reply.status, headers=dict(reply.headers))


def health(request: HttpRequest) -> HttpResponse:
    """How the bot is, in this process."""
    return JsonResponse(runtime().health())
