"""Sells something, with shipping and without."""

import os

from telegram import LabeledPrice, ShippingOption, Update
from telegram.ext import CallbackContext, CommandHandler, Filters, MessageHandler, PreCheckoutQueryHandler, ShippingQueryHandler, Updater

PROVIDER = "provider-token"


def start_callback(update: Update, context: CallbackContext) -> None:
    update.message.reply_text("Use /shipping to get an invoice for shipping-payment, or /noshipping for an invoice without shipping.")


def start_with_shipping_callback(update: Update, context: CallbackContext) -> None:
    prices = [LabeledPrice("Test", 1 * 100)]
    context.bot.send_invoice(
        *(update.message.chat_id, "Payment Example", "Payment with shipping", "Custom-Payload", PROVIDER, "USD", prices),
        need_name=True,
        need_phone_number=True,
        need_email=True,
        need_shipping_address=True,
        is_flexible=True,
    )


def start_without_shipping_callback(update: Update, context: CallbackContext) -> None:
    context.bot.send_invoice(update.message.chat_id, "Payment Example", "Payment", "Custom-Payload", PROVIDER, "USD", [LabeledPrice("Test", 100)])


def shipping_callback(update: Update, context: CallbackContext) -> None:
    query = update.shipping_query
    if query.invoice_payload != "Custom-Payload":
        query.answer(ok=False, error_message="Something went wrong...")
        return
    options = [ShippingOption("1", "Shipping Option A", [LabeledPrice("A", 100)])]
    price_list = [LabeledPrice("B1", 150), LabeledPrice("B2", 200)]
    options.append(ShippingOption("2", "Shipping Option B", price_list))
    query.answer(ok=True, shipping_options=options)


def precheckout_callback(update: Update, context: CallbackContext) -> None:
    query = update.pre_checkout_query
    if query.invoice_payload != "Custom-Payload":
        query.answer(ok=False, error_message="Something went wrong...")
    else:
        query.answer(ok=True)


def successful_payment_callback(update: Update, context: CallbackContext) -> None:
    update.message.reply_text("Thank you for your payment!")


def main() -> None:
    updater = Updater(os.environ["TOKEN"], base_url=os.environ["BASE_URL"])
    dispatcher = updater.dispatcher
    dispatcher.add_handler(CommandHandler("start", start_callback))
    dispatcher.add_handler(CommandHandler("shipping", start_with_shipping_callback))
    dispatcher.add_handler(CommandHandler("noshipping", start_without_shipping_callback))
    dispatcher.add_handler(ShippingQueryHandler(shipping_callback))
    dispatcher.add_handler(PreCheckoutQueryHandler(precheckout_callback))
    dispatcher.add_handler(MessageHandler(Filters.successful_payment, successful_payment_callback))
    updater.start_polling()
    updater.idle()


if __name__ == "__main__":
    main()
