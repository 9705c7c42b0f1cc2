"""The methods of the Bot API. Written by scripts/generators/generate_methods.py; do not edit, but see scripts/generators/methods_review.toml.

A block per method: its name, whether it is safe to repeat, and what it returns; a summary; and its parameters with their types.
"!" marks a required one, "[]" an array of, and "*" stands before those that go by name only. `table.py` reads it.
"""

API_VERSION = "10.3"
"""The version of the Bot API that the table describes."""

METHODS = """\
getUpdates yes Update[]
 Receive waiting updates by long polling.
 offset:Integer limit:Integer timeout:Integer allowed_updates:String[]

setWebhook yes Boolean
 Have updates delivered to an HTTPS address.
 url!:String certificate:InputFile max_connections:Integer allowed_updates:String[] ip_address:String drop_pending_updates:Boolean * secret_token:String

deleteWebhook yes Boolean
 Remove the webhook, to go back to polling.
 drop_pending_updates:Boolean

getWebhookInfo yes WebhookInfo
 Tell the state of the webhook.

getMe yes User
 Tell who the bot is; the usual test of a token.

logOut no Boolean
 Log the bot out of the official server, to move it to a local one.

close no Boolean
 Close the bot on a local server, to move it to another one.

sendMessage no Message
 Send a text message.
 chat_id!:Integer|String text!:String parse_mode:String entities:MessageEntity[] disable_notification:Boolean protect_content:Boolean *
 business_connection_id:String message_thread_id:Integer direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters
 link_preview_options:LinkPreviewOptions allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters
 reply_parameters:ReplyParameters reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

forwardMessage no Message
 Forward a message.
 chat_id!:Integer|String from_chat_id!:Integer|String message_id!:Integer disable_notification:Boolean protect_content:Boolean message_thread_id:Integer *
 direct_messages_topic_id:Integer video_start_timestamp:Integer message_effect_id:String suggested_post_parameters:SuggestedPostParameters

forwardMessages no MessageId[]
 Forward several messages.
 chat_id!:Integer|String from_chat_id!:Integer|String message_ids!:Integer[] disable_notification:Boolean protect_content:Boolean message_thread_id:Integer *
 direct_messages_topic_id:Integer

copyMessage no MessageId
 Send a copy of a message, without a link to the original.
 chat_id!:Integer|String from_chat_id!:Integer|String message_id!:Integer caption:String parse_mode:String caption_entities:MessageEntity[] *
 message_thread_id:Integer direct_messages_topic_id:Integer video_start_timestamp:Integer show_caption_above_media:Boolean disable_notification:Boolean
 protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters
 reply_parameters:ReplyParameters reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

copyMessages no MessageId[]
 Send copies of several messages, without links to the originals.
 chat_id!:Integer|String from_chat_id!:Integer|String message_ids!:Integer[] disable_notification:Boolean protect_content:Boolean message_thread_id:Integer *
 direct_messages_topic_id:Integer remove_caption:Boolean

sendPhoto no Message
 Send a photo.
 chat_id!:Integer|String photo!:InputFile|String caption:String disable_notification:Boolean
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply parse_mode:String * business_connection_id:String
 message_thread_id:Integer direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters caption_entities:MessageEntity[]
 show_caption_above_media:Boolean has_spoiler:Boolean protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String
 suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters

sendLivePhoto no Message
 Send a live photo: a still picture with its short video.
 chat_id!:Integer|String live_photo!:InputFile|String photo!:InputFile|String business_connection_id:String message_thread_id:Integer
 direct_messages_topic_id:Integer * ephemeral_message_parameters:EphemeralMessageParameters caption:String parse_mode:String caption_entities:MessageEntity[]
 show_caption_above_media:Boolean has_spoiler:Boolean disable_notification:Boolean protect_content:Boolean allow_paid_broadcast:Boolean
 message_effect_id:String suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

sendAudio no Message
 Send an audio file for the music player (MP3 or M4A).
 chat_id!:Integer|String audio!:InputFile|String duration:Integer performer:String title:String caption:String * business_connection_id:String
 message_thread_id:Integer direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters parse_mode:String
 caption_entities:MessageEntity[] thumbnail:InputFile|String disable_notification:Boolean protect_content:Boolean allow_paid_broadcast:Boolean
 message_effect_id:String suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

sendDocument no Message
 Send a file of any kind.
 chat_id!:Integer|String document!:InputFile|String caption:String disable_notification:Boolean
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply parse_mode:String * business_connection_id:String
 message_thread_id:Integer direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters thumbnail:InputFile|String
 caption_entities:MessageEntity[] disable_content_type_detection:Boolean protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String
 suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters

sendVideo no Message
 Send a video.
 chat_id!:Integer|String video!:InputFile|String duration:Integer caption:String disable_notification:Boolean
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply * business_connection_id:String message_thread_id:Integer
 direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters width:Integer height:Integer thumbnail:InputFile|String
 cover:InputFile|String start_timestamp:Integer parse_mode:String caption_entities:MessageEntity[] show_caption_above_media:Boolean has_spoiler:Boolean
 supports_streaming:Boolean protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters
 reply_parameters:ReplyParameters

sendAnimation no Message
 Send an animation: a GIF, or a video without sound.
 chat_id!:Integer|String animation!:InputFile|String duration:Integer width:Integer height:Integer caption:String * business_connection_id:String
 message_thread_id:Integer direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters thumbnail:InputFile|String
 parse_mode:String caption_entities:MessageEntity[] show_caption_above_media:Boolean has_spoiler:Boolean disable_notification:Boolean protect_content:Boolean
 allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

sendVoice no Message
 Send a voice message.
 chat_id!:Integer|String voice!:InputFile|String duration:Integer caption:String disable_notification:Boolean
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply * business_connection_id:String message_thread_id:Integer
 direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters parse_mode:String caption_entities:MessageEntity[]
 protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters
 reply_parameters:ReplyParameters

sendVideoNote no Message
 Send a round video message.
 chat_id!:Integer|String video_note!:InputFile|String duration:Integer length:Integer disable_notification:Boolean
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply * business_connection_id:String message_thread_id:Integer
 direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters thumbnail:InputFile|String protect_content:Boolean
 allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters

sendPaidMedia no Message
 Send media that are paid for in Stars.
 chat_id!:Integer|String star_count!:Integer media!:InputPaidMedia[] caption:String parse_mode:String caption_entities:MessageEntity[] *
 business_connection_id:String message_thread_id:Integer direct_messages_topic_id:Integer payload:String show_caption_above_media:Boolean
 disable_notification:Boolean protect_content:Boolean allow_paid_broadcast:Boolean suggested_post_parameters:SuggestedPostParameters
 reply_parameters:ReplyParameters reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

sendMediaGroup no Message[]
 Send several photos, videos, documents or audio files as one album.
 chat_id!:Integer|String media!:InputMediaAudio[]|InputMediaDocument[]|InputMediaLivePhoto[]|InputMediaPhoto[]|InputMediaVideo[] disable_notification:Boolean
 protect_content:Boolean message_thread_id:Integer reply_parameters:ReplyParameters * business_connection_id:String direct_messages_topic_id:Integer
 allow_paid_broadcast:Boolean message_effect_id:String

sendLocation no Message
 Send a point on the map, which may move (a live location).
 chat_id!:Integer|String latitude!:Float longitude!:Float disable_notification:Boolean
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply live_period:Integer * business_connection_id:String
 message_thread_id:Integer direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters horizontal_accuracy:Float heading:Integer
 proximity_alert_radius:Integer protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters
 reply_parameters:ReplyParameters

sendVenue no Message
 Send a place: a point on the map with a name and an address.
 chat_id!:Integer|String latitude!:Float longitude!:Float title!:String address!:String foursquare_id:String * business_connection_id:String
 message_thread_id:Integer direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters foursquare_type:String
 google_place_id:String google_place_type:String disable_notification:Boolean protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String
 suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

sendContact no Message
 Send a phone contact.
 chat_id!:Integer|String phone_number!:String first_name!:String last_name:String disable_notification:Boolean
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply * business_connection_id:String message_thread_id:Integer
 direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters vcard:String protect_content:Boolean allow_paid_broadcast:Boolean
 message_effect_id:String suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters

sendPoll no Message
 Send a poll or a quiz.
 chat_id!:Integer|String question!:String options!:InputPollOption[] is_anonymous:Boolean type:String allows_multiple_answers:Boolean *
 business_connection_id:String message_thread_id:Integer question_parse_mode:String question_entities:MessageEntity[] allows_revoting:Boolean
 shuffle_options:Boolean allow_adding_options:Boolean hide_results_until_closes:Boolean members_only:Boolean country_codes:String[]
 correct_option_ids:Integer[] explanation:String explanation_parse_mode:String explanation_entities:MessageEntity[] explanation_media:InputPollMedia
 open_period:Integer close_date:Integer is_closed:Boolean description:String description_parse_mode:String description_entities:MessageEntity[]
 media:InputPollMedia disable_notification:Boolean protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String
 reply_parameters:ReplyParameters reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

sendChecklist no Message
 Send a checklist on behalf of a business account.
 business_connection_id!:String chat_id!:Integer|String checklist!:InputChecklist disable_notification:Boolean protect_content:Boolean message_effect_id:String
 * reply_parameters:ReplyParameters reply_markup:InlineKeyboardMarkup

sendDice no Message
 Send an animated emoji that shows a random value.
 chat_id!:Integer|String disable_notification:Boolean reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply emoji:String
 protect_content:Boolean message_thread_id:Integer * business_connection_id:String direct_messages_topic_id:Integer allow_paid_broadcast:Boolean
 message_effect_id:String suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters

sendMessageDraft yes Boolean
 Show a part of a message while the rest is being made.
 chat_id!:Integer draft_id!:Integer text:String message_thread_id:Integer parse_mode:String entities:MessageEntity[] * can_stop:Boolean keep_on_stop:Boolean

sendChatAction yes Boolean
 Show what the bot is doing ("typing"), for five seconds.
 chat_id!:Integer|String action!:String message_thread_id:Integer business_connection_id:String

setMessageReaction yes Boolean
 Set the bot's reactions to a message.
 chat_id!:Integer|String message_id!:Integer reaction:ReactionType[] is_big:Boolean

sendSticker no Message
 Send a sticker.
 chat_id!:Integer|String sticker!:InputFile|String disable_notification:Boolean
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply protect_content:Boolean message_thread_id:Integer *
 business_connection_id:String direct_messages_topic_id:Integer ephemeral_message_parameters:EphemeralMessageParameters emoji:String
 allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters

sendRichMessage no Message
 Send a rich message, laid out in blocks.
 chat_id!:Integer|String rich_message!:InputRichMessage * business_connection_id:String message_thread_id:Integer direct_messages_topic_id:Integer
 ephemeral_message_parameters:EphemeralMessageParameters disable_notification:Boolean protect_content:Boolean allow_paid_broadcast:Boolean
 message_effect_id:String suggested_post_parameters:SuggestedPostParameters reply_parameters:ReplyParameters
 reply_markup:InlineKeyboardMarkup|ReplyKeyboardMarkup|ReplyKeyboardRemove|ForceReply

sendRichMessageDraft yes Boolean
 Show a part of a rich message while the rest is being made.
 chat_id!:Integer draft_id!:Integer rich_message!:InputRichMessage * message_thread_id:Integer can_stop:Boolean keep_on_stop:Boolean

sendInvoice no Message
 Send an invoice.
 chat_id!:Integer|String title!:String description!:String payload!:String currency!:String prices!:LabeledPrice[] * message_thread_id:Integer
 direct_messages_topic_id:Integer provider_token:String max_tip_amount:Integer suggested_tip_amounts:Integer[] start_parameter:String provider_data:String
 photo_url:String photo_size:Integer photo_width:Integer photo_height:Integer need_name:Boolean need_phone_number:Boolean need_email:Boolean
 need_shipping_address:Boolean send_phone_number_to_provider:Boolean send_email_to_provider:Boolean is_flexible:Boolean disable_notification:Boolean
 protect_content:Boolean allow_paid_broadcast:Boolean message_effect_id:String suggested_post_parameters:SuggestedPostParameters
 reply_parameters:ReplyParameters reply_markup:InlineKeyboardMarkup

sendGame no Message
 Send a game.
 chat_id!:Integer|String game_short_name!:String disable_notification:Boolean reply_markup:InlineKeyboardMarkup protect_content:Boolean
 message_thread_id:Integer * business_connection_id:String allow_paid_broadcast:Boolean message_effect_id:String reply_parameters:ReplyParameters

getUserProfilePhotos yes UserProfilePhotos
 List a user's profile photos.
 user_id!:Integer offset:Integer limit:Integer

getUserProfileAudios yes UserProfileAudios
 List the audio files on a user's profile.
 user_id!:Integer offset:Integer limit:Integer

setUserEmojiStatus yes Boolean
 Set a user's emoji status, if the user allowed it.
 user_id!:Integer emoji_status_custom_emoji_id:String emoji_status_expiration_date:Integer

getFile yes File
 Prepare a file for download, and tell its path and size.
 file_id!:String

getUserPersonalChatMessages yes Message[]
 List the last messages of a user's personal channel.
 user_id!:Integer limit!:Integer

getUserChatBoosts yes UserChatBoosts
 List the boosts a user gave to a chat.
 chat_id!:Integer|String user_id!:Integer

banChatMember yes Boolean
 Ban a user from a group or channel.
 chat_id!:Integer|String user_id!:Integer until_date:Integer revoke_messages:Boolean

unbanChatMember yes Boolean
 Lift a user's ban.
 chat_id!:Integer|String user_id!:Integer only_if_banned:Boolean

restrictChatMember yes Boolean
 Restrict what a user may do in a supergroup.
 chat_id!:Integer|String user_id!:Integer permissions!:ChatPermissions until_date:Integer use_independent_chat_permissions:Boolean

promoteChatMember yes Boolean
 Make a user an administrator, or take rights away.
 chat_id!:Integer|String user_id!:Integer can_change_info:Boolean can_post_messages:Boolean can_edit_messages:Boolean can_delete_messages:Boolean *
 is_anonymous:Boolean can_manage_chat:Boolean can_manage_video_chats:Boolean can_restrict_members:Boolean can_promote_members:Boolean can_invite_users:Boolean
 can_post_stories:Boolean can_edit_stories:Boolean can_delete_stories:Boolean can_pin_messages:Boolean can_manage_topics:Boolean
 can_manage_direct_messages:Boolean can_manage_tags:Boolean can_send_welcome_messages:Boolean

setChatAdministratorCustomTitle yes Boolean
 Set an administrator's title.
 chat_id!:Integer|String user_id!:Integer custom_title!:String

setChatMemberTag yes Boolean
 Set a member's tag.
 chat_id!:Integer|String user_id!:Integer tag:String

banChatSenderChat yes Boolean
 Ban a channel from writing in a chat.
 chat_id!:Integer|String sender_chat_id!:Integer

unbanChatSenderChat yes Boolean
 Lift a channel's ban.
 chat_id!:Integer|String sender_chat_id!:Integer

setChatPermissions yes Boolean
 Set what all members may do by default.
 chat_id!:Integer|String permissions!:ChatPermissions use_independent_chat_permissions:Boolean

getChatAdministrators yes ChatMember[]
 List the administrators of a chat.
 chat_id!:Integer|String return_bots:Boolean

getChatMemberCount yes Integer
 Count the members of a chat.
 chat_id!:Integer|String

getChatMember yes ChatMember
 Tell a user's place in a chat.
 chat_id!:Integer|String user_id!:Integer

exportChatInviteLink no String
 Make a new primary invite link; the one before is revoked.
 chat_id!:Integer|String

createChatInviteLink no ChatInviteLink
 Make an additional invite link.
 chat_id!:Integer|String expire_date:Integer member_limit:Integer name:String creates_join_request:Boolean

editChatInviteLink yes ChatInviteLink
 Change an invite link that the bot made.
 chat_id!:Integer|String invite_link!:String expire_date:Integer member_limit:Integer name:String creates_join_request:Boolean

createChatSubscriptionInviteLink no ChatInviteLink
 Make an invite link whose users pay for a subscription.
 chat_id!:Integer|String subscription_period!:Integer subscription_price!:Integer name:String

editChatSubscriptionInviteLink yes ChatInviteLink
 Change a subscription invite link that the bot made.
 chat_id!:Integer|String invite_link!:String name:String

revokeChatInviteLink no ChatInviteLink
 Revoke an invite link that the bot made.
 chat_id!:Integer|String invite_link!:String

approveChatJoinRequest no Boolean
 Let a user in who asked to join.
 chat_id!:Integer|String user_id!:Integer

declineChatJoinRequest no Boolean
 Turn down a user who asked to join.
 chat_id!:Integer|String user_id!:Integer

answerChatJoinRequestQuery no Boolean
 Decide a request to join that came as a query.
 chat_join_request_query_id!:String result!:String

sendChatJoinRequestWebApp no Boolean
 Show a Mini App to a user who asked to join, before deciding.
 chat_join_request_query_id!:String web_app_url!:String

setChatPhoto no Boolean
 Set the photo of a chat.
 chat_id!:Integer|String photo!:InputFile

deleteChatPhoto yes Boolean
 Delete the photo of a chat.
 chat_id!:Integer|String

setChatTitle yes Boolean
 Set the title of a chat.
 chat_id!:Integer|String title!:String

setChatDescription yes Boolean
 Set the description of a chat.
 chat_id!:Integer|String description:String

pinChatMessage yes Boolean
 Pin a message.
 chat_id!:Integer|String message_id!:Integer disable_notification:Boolean business_connection_id:String

unpinChatMessage no Boolean
 Unpin a message; without message_id, the latest pinned one.
 chat_id!:Integer|String message_id:Integer business_connection_id:String

unpinAllChatMessages yes Boolean
 Unpin all messages of a chat.
 chat_id!:Integer|String

leaveChat no Boolean
 Leave a group or channel.
 chat_id!:Integer|String

getChat yes ChatFullInfo
 Tell all about a chat.
 chat_id!:Integer|String

setChatStickerSet yes Boolean
 Set the sticker set of a supergroup.
 chat_id!:Integer|String sticker_set_name!:String

deleteChatStickerSet yes Boolean
 Take the sticker set away from a supergroup.
 chat_id!:Integer|String

getForumTopicIconStickers yes Sticker[]
 List the stickers that can be icons of forum topics.

createForumTopic no ForumTopic
 Open a new forum topic.
 chat_id!:Integer|String name!:String icon_color:Integer icon_custom_emoji_id:String

editForumTopic yes Boolean
 Change the name and icon of a forum topic.
 chat_id!:Integer|String message_thread_id!:Integer name:String icon_custom_emoji_id:String

closeForumTopic yes Boolean
 Close a forum topic.
 chat_id!:Integer|String message_thread_id!:Integer

reopenForumTopic yes Boolean
 Open a closed forum topic again.
 chat_id!:Integer|String message_thread_id!:Integer

deleteForumTopic no Boolean
 Delete a forum topic with all its messages.
 chat_id!:Integer|String message_thread_id!:Integer

unpinAllForumTopicMessages yes Boolean
 Unpin all messages of a forum topic.
 chat_id!:Integer|String message_thread_id!:Integer

editGeneralForumTopic yes Boolean
 Change the name of the "General" topic.
 chat_id!:Integer|String name!:String

closeGeneralForumTopic yes Boolean
 Close the "General" topic.
 chat_id!:Integer|String

reopenGeneralForumTopic yes Boolean
 Open the closed "General" topic again.
 chat_id!:Integer|String

hideGeneralForumTopic yes Boolean
 Hide the "General" topic.
 chat_id!:Integer|String

unhideGeneralForumTopic yes Boolean
 Show the hidden "General" topic again.
 chat_id!:Integer|String

unpinAllGeneralForumTopicMessages yes Boolean
 Unpin all messages of the "General" topic.
 chat_id!:Integer|String

answerCallbackQuery yes Boolean
 Answer a press of an inline button.
 callback_query_id!:String text:String show_alert:Boolean url:String cache_time:Integer

answerInlineQuery yes Boolean
 Answer an inline query with results to choose from.
 inline_query_id!:String results!:InlineQueryResult[] cache_time:Integer is_personal:Boolean next_offset:String button:InlineQueryResultsButton

answerGuestQuery no SentGuestMessage
 Answer a query from a chat that the bot is not in.
 guest_query_id!:String result!:InlineQueryResult

answerWebAppQuery no SentWebAppMessage
 Answer a query of a Mini App, with a message in the user's name.
 web_app_query_id!:String result!:InlineQueryResult

savePreparedInlineMessage no PreparedInlineMessage
 Store a message that a Mini App's user can send.
 user_id!:Integer result!:InlineQueryResult allow_user_chats:Boolean allow_bot_chats:Boolean allow_group_chats:Boolean allow_channel_chats:Boolean

savePreparedKeyboardButton no PreparedKeyboardButton
 Store a keyboard button that a Mini App can use.
 user_id!:Integer button!:KeyboardButton

answerShippingQuery yes Boolean
 Answer a query for the ways and prices of shipping.
 shipping_query_id!:String ok!:Boolean shipping_options:ShippingOption[] error_message:String

answerPreCheckoutQuery yes Boolean
 Confirm or refuse an order, within ten seconds.
 pre_checkout_query_id!:String ok!:Boolean error_message:String

setMyCommands yes Boolean
 Set the list of the bot's commands.
 commands!:BotCommand[] scope:BotCommandScope language_code:String

deleteMyCommands yes Boolean
 Delete the list of the bot's commands.
 scope:BotCommandScope language_code:String

getMyCommands yes BotCommand[]
 List the bot's commands.
 scope:BotCommandScope language_code:String

setMyName yes Boolean
 Set the bot's name.
 name:String language_code:String

getMyName yes BotName
 Tell the bot's name.
 language_code:String

setMyDescription yes Boolean
 Set what an empty chat with the bot says.
 description:String language_code:String

getMyDescription yes BotDescription
 Tell what an empty chat with the bot says.
 language_code:String

setMyShortDescription yes Boolean
 Set the short text on the bot's profile.
 short_description:String language_code:String

getMyShortDescription yes BotShortDescription
 Tell the short text on the bot's profile.
 language_code:String

setMyProfilePhoto no Boolean
 Set the bot's profile photo.
 photo!:InputProfilePhoto

removeMyProfilePhoto no Boolean
 Remove the bot's profile photo.

setChatMenuButton yes Boolean
 Set the menu button of a private chat, or the default one.
 chat_id:Integer menu_button:MenuButton

getChatMenuButton yes MenuButton
 Tell the menu button of a private chat, or the default one.
 chat_id:Integer

setMyDefaultAdministratorRights yes Boolean
 Set the rights that the bot asks for as an administrator.
 rights:ChatAdministratorRights for_channels:Boolean

getMyDefaultAdministratorRights yes ChatAdministratorRights
 Tell the rights that the bot asks for as an administrator.
 for_channels:Boolean

getManagedBotToken yes String
 Tell the token of a bot that this one manages.
 user_id!:Integer

replaceManagedBotToken no String
 Revoke the token of a managed bot and make a new one.
 user_id!:Integer

getManagedBotAccessSettings yes BotAccessSettings
 Tell who may use a managed bot.
 user_id!:Integer

setManagedBotAccessSettings yes Boolean
 Set who may use a managed bot.
 user_id!:Integer is_access_restricted!:Boolean added_user_ids:Integer[]

getAvailableGifts yes Gifts
 List the gifts that the bot can send.

sendGift no Boolean
 Send a gift to a user or channel.
 gift_id!:String text:String text_parse_mode:String text_entities:MessageEntity[] pay_for_upgrade:Boolean chat_id:Integer|String * user_id:Integer

giftPremiumSubscription no Boolean
 Give a Premium subscription to a user.
 user_id!:Integer month_count!:Integer star_count!:Integer text:String text_parse_mode:String text_entities:MessageEntity[]

verifyUser yes Boolean
 Verify a user on behalf of the bot's organization.
 user_id!:Integer custom_description:String

verifyChat yes Boolean
 Verify a chat on behalf of the bot's organization.
 chat_id!:Integer|String custom_description:String

removeUserVerification yes Boolean
 Take the verification away from a user.
 user_id!:Integer

removeChatVerification yes Boolean
 Take the verification away from a chat.
 chat_id!:Integer|String

getUserGifts yes OwnedGifts
 List the gifts that a user owns.
 user_id!:Integer exclude_unlimited:Boolean exclude_limited_upgradable:Boolean exclude_limited_non_upgradable:Boolean exclude_from_blockchain:Boolean
 exclude_unique:Boolean * sort_by_price:Boolean offset:String limit:Integer

getChatGifts yes OwnedGifts
 List the gifts that a chat owns.
 chat_id!:Integer|String exclude_unsaved:Boolean exclude_saved:Boolean exclude_unlimited:Boolean exclude_limited_upgradable:Boolean
 exclude_limited_non_upgradable:Boolean * exclude_from_blockchain:Boolean exclude_unique:Boolean sort_by_price:Boolean offset:String limit:Integer

getMyStarBalance yes StarAmount
 Tell how many Stars the bot has.

getStarTransactions yes StarTransactions
 List the bot's Star transactions.
 offset:Integer limit:Integer

refundStarPayment no Boolean
 Pay Stars back.
 user_id!:Integer telegram_payment_charge_id!:String

editUserStarSubscription yes Boolean
 Cancel or renew a user's Star subscription.
 user_id!:Integer telegram_payment_charge_id!:String is_canceled!:Boolean

createInvoiceLink no String
 Make a link to an invoice.
 title!:String description!:String payload!:String currency!:String prices!:LabeledPrice[] provider_token:String * business_connection_id:String
 subscription_period:Integer max_tip_amount:Integer suggested_tip_amounts:Integer[] provider_data:String photo_url:String photo_size:Integer
 photo_width:Integer photo_height:Integer need_name:Boolean need_phone_number:Boolean need_email:Boolean need_shipping_address:Boolean
 send_phone_number_to_provider:Boolean send_email_to_provider:Boolean is_flexible:Boolean

getBusinessConnection yes BusinessConnection
 Tell about the bot's connection with a business account.
 business_connection_id!:String

readBusinessMessage yes Boolean
 Mark a message as read for a business account.
 business_connection_id!:String chat_id!:Integer message_id!:Integer

deleteBusinessMessages yes Boolean
 Delete messages for a business account.
 business_connection_id!:String message_ids!:Integer[]

setBusinessAccountName yes Boolean
 Set the name of a business account.
 business_connection_id!:String first_name!:String last_name:String

setBusinessAccountUsername yes Boolean
 Set the username of a business account.
 business_connection_id!:String username:String

setBusinessAccountBio yes Boolean
 Set the bio of a business account.
 business_connection_id!:String bio:String

setBusinessAccountProfilePhoto no Boolean
 Set the profile photo of a business account.
 business_connection_id!:String photo!:InputProfilePhoto is_public:Boolean

removeBusinessAccountProfilePhoto no Boolean
 Remove the profile photo of a business account.
 business_connection_id!:String is_public:Boolean

setBusinessAccountGiftSettings yes Boolean
 Set which gifts a business account takes.
 business_connection_id!:String show_gift_button!:Boolean accepted_gift_types!:AcceptedGiftTypes

getBusinessAccountStarBalance yes StarAmount
 Tell how many Stars a business account has.
 business_connection_id!:String

transferBusinessAccountStars no Boolean
 Move Stars from a business account to the bot.
 business_connection_id!:String star_count!:Integer

getBusinessAccountGifts yes OwnedGifts
 List the gifts that a business account owns.
 business_connection_id!:String exclude_unsaved:Boolean exclude_saved:Boolean exclude_unlimited:Boolean exclude_unique:Boolean sort_by_price:Boolean *
 exclude_limited_upgradable:Boolean exclude_limited_non_upgradable:Boolean exclude_from_blockchain:Boolean offset:String limit:Integer

convertGiftToStars no Boolean
 Turn a gift into Stars.
 business_connection_id!:String owned_gift_id!:String

upgradeGift no Boolean
 Upgrade a gift to a unique one.
 business_connection_id!:String owned_gift_id!:String keep_original_details:Boolean star_count:Integer

transferGift no Boolean
 Give a unique gift to another owner.
 business_connection_id!:String owned_gift_id!:String new_owner_chat_id!:Integer star_count:Integer

postStory no Story
 Post a story for a business account.
 business_connection_id!:String content!:InputStoryContent active_period!:Integer caption:String parse_mode:String caption_entities:MessageEntity[] *
 areas:StoryArea[] post_to_chat_page:Boolean protect_content:Boolean

repostStory no Story
 Post a story again for another business account.
 business_connection_id!:String from_chat_id!:Integer from_story_id!:Integer active_period!:Integer post_to_chat_page:Boolean protect_content:Boolean

editStory yes Story
 Change a story of a business account.
 business_connection_id!:String story_id!:Integer content!:InputStoryContent caption:String parse_mode:String caption_entities:MessageEntity[] *
 areas:StoryArea[]

deleteStory yes Boolean
 Delete a story of a business account.
 business_connection_id!:String story_id!:Integer

editMessageText yes Message|Boolean
 Change the text of a message.
 text:String chat_id:Integer|String message_id:Integer inline_message_id:String parse_mode:String reply_markup:InlineKeyboardMarkup *
 business_connection_id:String entities:MessageEntity[] link_preview_options:LinkPreviewOptions rich_message:InputRichMessage

editMessageCaption yes Message|Boolean
 Change the caption of a message.
 chat_id:Integer|String message_id:Integer inline_message_id:String caption:String reply_markup:InlineKeyboardMarkup parse_mode:String *
 business_connection_id:String caption_entities:MessageEntity[] show_caption_above_media:Boolean

editMessageMedia yes Message|Boolean
 Change the media of a message.
 media!:InputMedia chat_id:Integer|String message_id:Integer inline_message_id:String reply_markup:InlineKeyboardMarkup business_connection_id:String

editMessageLiveLocation yes Message|Boolean
 Move a live location.
 chat_id:Integer|String message_id:Integer inline_message_id:String latitude!:Float longitude!:Float reply_markup:InlineKeyboardMarkup *
 business_connection_id:String live_period:Integer horizontal_accuracy:Float heading:Integer proximity_alert_radius:Integer

stopMessageLiveLocation no Message|Boolean
 Stop a live location.
 chat_id:Integer|String message_id:Integer inline_message_id:String reply_markup:InlineKeyboardMarkup business_connection_id:String

editMessageChecklist yes Message
 Change a checklist.
 business_connection_id!:String chat_id!:Integer|String message_id!:Integer checklist!:InputChecklist reply_markup:InlineKeyboardMarkup

editMessageReplyMarkup yes Message|Boolean
 Change the inline keyboard of a message.
 chat_id:Integer|String message_id:Integer inline_message_id:String reply_markup:InlineKeyboardMarkup business_connection_id:String

stopPoll no Poll
 Stop a poll.
 chat_id!:Integer|String message_id!:Integer reply_markup:InlineKeyboardMarkup business_connection_id:String

approveSuggestedPost no Boolean
 Approve a suggested post.
 chat_id!:Integer message_id!:Integer send_date:Integer

declineSuggestedPost no Boolean
 Decline a suggested post.
 chat_id!:Integer message_id!:Integer comment:String

deleteMessage yes Boolean
 Delete a message.
 chat_id!:Integer|String message_id!:Integer

deleteMessages yes Boolean
 Delete several messages.
 chat_id!:Integer|String message_ids!:Integer[]

deleteMessageReaction yes Boolean
 Delete one user's reaction to a message.
 chat_id!:Integer|String message_id!:Integer user_id:Integer actor_chat_id:Integer

deleteAllMessageReactions yes Boolean
 Delete the recent reactions of a user in a chat.
 chat_id!:Integer|String user_id:Integer actor_chat_id:Integer

editEphemeralMessageText yes Boolean
 Change the text of an ephemeral message.
 chat_id!:Integer|String receiver_user_id!:Integer ephemeral_message_id!:Integer text:String parse_mode:String reply_markup:InlineKeyboardMarkup *
 entities:MessageEntity[] rich_message:InputRichMessage link_preview_options:LinkPreviewOptions

editEphemeralMessageMedia yes Boolean
 Change the media of an ephemeral message.
 chat_id!:Integer|String receiver_user_id!:Integer ephemeral_message_id!:Integer media!:InputMedia reply_markup:InlineKeyboardMarkup

editEphemeralMessageCaption yes Boolean
 Change the caption of an ephemeral message.
 chat_id!:Integer|String receiver_user_id!:Integer ephemeral_message_id!:Integer caption:String reply_markup:InlineKeyboardMarkup parse_mode:String *
 caption_entities:MessageEntity[] show_caption_above_media:Boolean

editEphemeralMessageReplyMarkup yes Boolean
 Change the inline keyboard of an ephemeral message.
 chat_id!:Integer|String receiver_user_id!:Integer ephemeral_message_id!:Integer reply_markup:InlineKeyboardMarkup

deleteEphemeralMessage no Boolean
 Delete an ephemeral message.
 chat_id!:Integer|String receiver_user_id!:Integer ephemeral_message_id!:Integer

getStickerSet yes StickerSet
 Tell about a sticker set.
 name!:String

getCustomEmojiStickers yes Sticker[]
 Tell about custom emoji.
 custom_emoji_ids!:String[]

uploadStickerFile no File
 Upload a file to make stickers from.
 user_id!:Integer sticker!:InputFile sticker_format!:String

createNewStickerSet no Boolean
 Make a sticker set that belongs to a user.
 user_id!:Integer name!:String title!:String stickers!:InputSticker[] sticker_type:String needs_repainting:Boolean

addStickerToSet no Boolean
 Add a sticker to a set that the bot made.
 user_id!:Integer name!:String sticker!:InputSticker

setStickerPositionInSet yes Boolean
 Move a sticker to a position in its set.
 sticker!:String position!:Integer

deleteStickerFromSet no Boolean
 Delete a sticker from a set that the bot made.
 sticker!:String

replaceStickerInSet no Boolean
 Put a new sticker in the place of another one.
 user_id!:Integer name!:String old_sticker!:String sticker!:InputSticker

setStickerEmojiList yes Boolean
 Set the emoji of a sticker.
 sticker!:String emoji_list!:String[]

setStickerKeywords yes Boolean
 Set the search words of a sticker.
 sticker!:String keywords:String[]

setStickerMaskPosition yes Boolean
 Set where a mask sits on a face.
 sticker!:String mask_position:MaskPosition

setStickerSetTitle yes Boolean
 Set the title of a sticker set.
 name!:String title!:String

setStickerSetThumbnail yes Boolean
 Set the thumbnail of a sticker set.
 name!:String user_id!:Integer format!:String thumbnail:InputFile|String

setCustomEmojiStickerSetThumbnail yes Boolean
 Set the thumbnail of a set of custom emoji.
 name!:String custom_emoji_id:String

deleteStickerSet no Boolean
 Delete a sticker set that the bot made.
 name!:String

setPassportDataErrors yes Boolean
 Tell a user what is wrong in the Passport data.
 user_id!:Integer errors!:PassportElementError[]

setGameScore no Message|Boolean
 Set a user's score in a game.
 user_id!:Integer score!:Integer chat_id:Integer message_id:Integer inline_message_id:String force:Boolean * disable_edit_message:Boolean

getGameHighScores yes GameHighScore[]
 List the high scores around a user in a game.
 user_id!:Integer chat_id:Integer message_id:Integer inline_message_id:String
"""
