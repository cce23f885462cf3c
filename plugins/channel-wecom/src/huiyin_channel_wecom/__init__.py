"""企业微信与公众号: complaints that come by chat, and are answered there."""
