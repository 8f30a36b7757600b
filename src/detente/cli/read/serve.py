"""`detente serve`: the HTTP API and the page."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from detente.cli.options import BadUsage, Failure

#: What the extra `[serve]` brings.
NEEDED = ("fastapi", "uvicorn", "prometheus_client", "pandas")


def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="0 for any that is free.")] = 8000,
    model: Annotated[str, typer.Option(metavar="MODEL", help="A model folder or hub id, if not the shipped one.")] = "",
    api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keys, one a line; needed unless --host is this machine only.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Answer to this host name too; may be repeated.")
    ] = None,
    max_body: Annotated[int, typer.Option(metavar="BYTES", min=1, help="Of one request.")] = 8 << 20,
    max_characters: Annotated[int, typer.Option(metavar="N", min=1, help="Of one text.")] = 100_000,
    max_items: Annotated[int, typer.Option(metavar="N", min=1, help="Texts of one request.")] = 256,
    max_readings: Annotated[int, typer.Option(metavar="N", min=1, help="Of one request.")] = 10_000,
    max_answer: Annotated[int, typer.Option(metavar="BYTES", min=1, help="Of one answer.")] = 16 << 20,
    max_in_flight: Annotated[int, typer.Option(metavar="N", min=1, help="Requests in hand.")] = 64,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", min=0.1, help="Of one request.")] = 60,
    workers: Annotated[int | None, typer.Option(metavar="N", min=1, help="Threads that read; one a core.")] = None,
    gather: Annotated[bool, typer.Option(help="Read texts of several requests together.")] = True,
    log_level: Annotated[str, typer.Option(metavar="LEVEL", help="debug, info, warning or error.")] = "info",
) -> None:
    """Serve the HTTP API, and a page on which people look at an article.

    [bold]Examples[/bold]

      detente serve

      curl localhost:8000/v1/label -H 'Content-Type: application/json' -d '{"text": "Japan thanked India."}'

      detente serve --host 0.0.0.0 --api-key-file keys.txt --allow-host news.example.org

    On another address than this machine's own, an API key is asked for; docs/serving.md has the rest.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise Failure(f"{', '.join(missing)} not installed; serving needs: pip install 'detente[serve]'")
    from detente.infer.label.labeler import load  # noqa: PLC0415
    from detente.infer.serve import access_log, run, security  # noqa: PLC0415
    from detente.infer.serve.app import Server  # noqa: PLC0415
    from detente.infer.serve.limits import Limits  # noqa: PLC0415
    from detente.models.model_dir import resolve  # noqa: PLC0415

    if log_level not in access_log.LEVELS:
        raise BadUsage(f"--log-level {log_level!r} is none of {', '.join(access_log.LEVELS)}")
    local = security.is_loopback(host)
    if not local and api_key_file is None:
        raise BadUsage(f"--host {host} can be reached from elsewhere: give --api-key-file FILE, or leave --host out")
    try:
        keys = security.read_keys(api_key_file) if api_key_file else []
    except ValueError as error:
        raise Failure(f"--api-key-file: {error}") from error
    hosts = {*(allow_host or ()), *(security.local_names(host) if local else ())}
    limits = Limits(
        body=max_body,
        characters=max_characters,
        items=max_items,
        readings=max_readings,
        answer=max_answer,
        in_flight=max_in_flight,
        seconds=timeout,
    )
    folder = resolve(model or None)
    server = Server(
        load(folder, threads=1), folder, limits=limits, keys=keys, hosts=hosts, gather=gather, workers=workers
    )
    try:
        taken = run.listen(host, port)
    except OSError as error:
        raise Failure(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from error
    typer.echo(f"detente serves {server.model.engine.name} on {run.url(taken)}", err=True)
    run.run(server, taken, log_level=log_level)
