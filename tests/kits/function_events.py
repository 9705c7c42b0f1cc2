"""What clouds hand to a function for one HTTP request, in the shapes that they document and log."""

from __future__ import annotations

import base64
from typing import Any

Headers = dict[str, str]

_FROM_TELEGRAM = {
    "accept-encoding": "gzip, deflate",
    "host": "abc123.lambda-url.eu-central-1.on.aws",
    "x-amzn-trace-id": "Root=1-67ab1234-0123456789abcdef01234567",
    "x-forwarded-for": "91.108.6.1",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


def lambda_url(body: bytes, headers: Headers, method: str = "POST") -> dict[str, Any]:
    """An AWS Lambda function URL (payload format 2.0): names of headers in small letters, the body as text."""
    return {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": _FROM_TELEGRAM | {name.lower(): value for name, value in headers.items()} | {"content-length": str(len(body))},
        "requestContext": {
            "accountId": "anonymous",
            "apiId": "abc123",
            "domainName": "abc123.lambda-url.eu-central-1.on.aws",
            "domainPrefix": "abc123",
            "http": {"method": method, "path": "/", "protocol": "HTTP/1.1", "sourceIp": "91.108.6.1", "userAgent": None},
            "requestId": "6e1c0a1e-0f1c-4d3c-9f5e-1a2b3c4d5e6f",
            "routeKey": "$default",
            "stage": "$default",
            "time": "12/Nov/2026:10:00:00 +0000",
            "timeEpoch": 1794477600000,
        },
        "body": body.decode(),
        "isBase64Encoded": False,
    }


def gateway_http(body: bytes, headers: Headers, method: str = "POST") -> dict[str, Any]:
    """An HTTP API of Amazon API Gateway (payload format 2.0); here the body comes in base64."""
    event = lambda_url(body, headers, method)
    event["routeKey"] = event["requestContext"]["routeKey"] = f"{method} /hook"
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/hook"
    return event | {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}


def gateway_rest(body: bytes, headers: Headers, method: str = "POST") -> dict[str, Any]:
    """A REST API of Amazon API Gateway (payload format 1.0): names of headers as they were sent, everything a second time as lists."""
    sent = {"Accept-Encoding": "gzip, deflate", "Host": "abc123.execute-api.eu-central-1.amazonaws.com", "X-Forwarded-For": "91.108.6.1"} | headers
    return {
        "resource": "/hook",
        "path": "/hook",
        "httpMethod": method,
        "headers": sent,
        "multiValueHeaders": {name: [value] for name, value in sent.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "abcdef",
            "resourcePath": "/hook",
            "httpMethod": method,
            "path": "/prod/hook",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "identity": {"sourceIp": "91.108.6.1", "userAgent": None},
            "requestId": "6e1c0a1e-0f1c-4d3c-9f5e-1a2b3c4d5e6f",
        },
        "body": body.decode() or None,
        "isBase64Encoded": False,
    }


def load_balancer(body: bytes, headers: Headers, method: str = "POST") -> dict[str, Any]:
    """An Application Load Balancer with multi-value headers: they come as lists alone."""
    return {
        "requestContext": {"elb": {"targetGroupArn": "arn:aws:elasticloadbalancing:eu-central-1:1:targetgroup/bot/1"}},
        "httpMethod": method,
        "path": "/hook",
        "multiValueQueryStringParameters": {},
        "multiValueHeaders": {name.lower(): [value] for name, value in headers.items()},
        "body": body.decode(),
        "isBase64Encoded": False,
    }
