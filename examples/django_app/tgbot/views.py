"""The pages of the bot."""

from django.db import connection, transaction
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from syncbot.webhook import SECRET_HEADER
from tgbot.bot import runtime, webhook
from tgbot.models import Order


@csrf_exempt  # type: ignore[untyped-decorator]  # Django ships no types. Telegram shows its own secret instead
@require_POST  # type: ignore[untyped-decorator]  # the same
def hook(request: HttpRequest) -> HttpResponse:
    """Take an update: 200 is answered once it is stored."""
    reply = webhook().receive(request.body, secret=request.headers.get(SECRET_HEADER), content_type=request.content_type)
    return HttpResponse(reply.text, status=reply.status, headers=dict(reply.headers))


def health(request: HttpRequest) -> HttpResponse:
    """How the bot is, in this process."""
    return JsonResponse(runtime().health())


class CardRefused(Exception):
    """The order does not come about."""


@csrf_exempt  # type: ignore[untyped-decorator]  # Django ships no types. Only for this example
@require_POST  # type: ignore[untyped-decorator]  # the same
def order(request: HttpRequest) -> HttpResponse:
    """Take an order, and have its chat told: the message is sent if and only if the order is in the database."""
    try:
        with transaction.atomic():
            placed = Order.objects.create(item=request.POST["item"], chat=int(request.POST["chat"]))
            runtime().outbox.send_message(placed.chat, f"Order {placed.pk} is in: {placed.item}", connection=connection)
            if request.POST.get("card") == "refused":
                raise CardRefused
    except CardRefused:
        return HttpResponse("the card was refused", status=402)
    return JsonResponse({"order": placed.pk})
