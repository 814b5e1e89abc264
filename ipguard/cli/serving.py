"""``ipguard serve`` and ``ipguard serve-key``."""

from __future__ import annotations

import sys
from typing import Annotated, Any

import typer

from ipguard.errors import MissingExtraError

keys = typer.Typer(help="Keys for callers of ipguard serve.", no_args_is_help=True)
_PACKAGES = frozenset({"fastapi", "starlette", "pydantic", "prometheus_client", "threadpoolctl", "uvicorn"})


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.", envvar="IPGUARD_HOST")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; 0 for a free one.", envvar="IPGUARD_PORT")] = 8080,
    workers: Annotated[int, typer.Option(help="Processes.", envvar="IPGUARD_WORKERS")] = 1,
    policy: Annotated[str | None, typer.Option(help="Policy file, or URL of a registry; changes are taken up.")] = None,
    keys: Annotated[
        str | None, typer.Option(help="File of hashed keys; without it only this machine is served.")
    ] = None,
    database: Annotated[str | None, typer.Option(help="URL of the registry that decisions are recorded in.")] = None,
    audit: Annotated[str | None, typer.Option(help="Record of decisions: off, on or required.")] = None,
    model: Annotated[str | None, typer.Option(help="Folder of a model bundle.")] = None,
    catalogue: Annotated[str | None, typer.Option(help="Compiled catalogue or catalogue folder.")] = None,
    watch_catalogue: Annotated[
        bool | None, typer.Option("--watch-catalogue/--no-watch-catalogue", help="Load it anew when its file changes.")
    ] = None,
    review: Annotated[float | None, typer.Option(help="Risk from which a prompt is reviewed.")] = None,
    block: Annotated[float | None, typer.Option(help="Risk from which a prompt is blocked.")] = None,
    images: Annotated[str | None, typer.Option(help="LiteLLM requests with images: refuse or ignore.")] = None,
    block_on: Annotated[str | None, typer.Option(help="LiteLLM requests are blocked from: block or review.")] = None,
    max_body: Annotated[int | None, typer.Option(help="Bytes of a request.")] = None,
    max_prompts: Annotated[int | None, typer.Option(help="Prompts of a request.")] = None,
    queue: Annotated[int | None, typer.Option(help="Prompts in work at once; more are refused.")] = None,
    timeout: Annotated[float | None, typer.Option(help="Seconds that a request may take.")] = None,
    drain: Annotated[float | None, typer.Option(help="Seconds to go on after the order to stop.")] = None,
    log_prompts: Annotated[
        bool | None, typer.Option("--log-prompts/--no-log-prompts", help="Write prompts to the log and the record.")
    ] = None,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.", envvar="IPGUARD_LOG_LEVEL")] = "info",
) -> None:
    """Serve scores over HTTP: /v1/score, OpenAI's /v1/moderations, LiteLLM's guardrail, and a page at /.

    Every option is also a variable of the environment: IPGUARD_ and its name in capitals.
    """
    given: dict[str, Any] = {
        "policy": policy, "keys": keys, "database": database, "audit": audit, "model": model, "catalogue": catalogue,
        "watch_catalogue": watch_catalogue, "review": review, "block": block, "images": images, "block_on": block_on,
        "max_body": max_body, "max_prompts": max_prompts, "queue": queue, "timeout": timeout, "drain": drain,
        "log_prompts": log_prompts,
    }  # fmt: skip
    from ipguard.serve.settings import ServeSettings

    settings = ServeSettings.from_environment(**given)
    try:
        from ipguard.serve.logs import configure
        from ipguard.serve.workers import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _PACKAGES:
            raise
        raise MissingExtraError("ipguard serve", "serve") from None
    configure(log_level)
    run(settings, host=host, port=port, workers=workers)


@keys.command("new")
def new(
    name: Annotated[str, typer.Argument(help="Who gets it; stands in logs.")],
    role: Annotated[
        str, typer.Option(help="end_user (decisions only), read (terms and spans too) or policy (and change rules).")
    ] = "read",
) -> None:
    """Make a key. The line for the file of keys goes to standard output, the key itself to standard error, once."""
    from ipguard.serve.keys import new_key

    key, line = new_key(name, role)
    sys.stderr.write(f"key (shown once): {key}\n")
    sys.stdout.write(f"{line}\n")
