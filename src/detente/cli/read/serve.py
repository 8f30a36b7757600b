"""`detente serve`: the HTTP API and the page."""

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from detente.cli.options import BadUsage, Failure

#: What the extra `[serve]` brings.
NEEDED = ("fastapi", "uvicorn", "prometheus_client", "pandas")

#: Seconds that a request may be given.
SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 0.1, 86_400


def serve(
    host: Annotated[str, typer.Option(metavar="HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(metavar="PORT", min=0, max=65535, help="Port; 0 for any free one.")] = 8000,
    model: Annotated[str, typer.Option(metavar="MODEL", help="A model folder or hub id, if not the shipped one.")] = "",
    api_key_file: Annotated[
        Path | None, typer.Option(metavar="FILE", help="API keys, one per line; required unless --host is local.")
    ] = None,
    allow_host: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Additional host name to answer to; repeatable.")
    ] = None,
    max_body: Annotated[int, typer.Option(metavar="BYTES", min=1, help="Maximum size of a request.")] = 8 << 20,
    max_characters: Annotated[int, typer.Option(metavar="N", min=1, help="Maximum length of a text.")] = 100_000,
    max_items: Annotated[int, typer.Option(metavar="N", min=1, help="Maximum texts per request.")] = 256,
    max_readings: Annotated[int, typer.Option(metavar="N", min=1, help="Maximum readings per request.")] = 10_000,
    max_answer: Annotated[int, typer.Option(metavar="BYTES", min=1, help="Maximum size of an answer.")] = 16 << 20,
    max_in_flight: Annotated[int, typer.Option(metavar="N", min=1, help="Maximum concurrent requests.")] = 64,
    max_held: Annotated[
        int, typer.Option(metavar="BYTES", min=1, help="Maximum size of all large requests and answers in hand.")
    ] = 128 << 20,
    timeout: Annotated[float, typer.Option(metavar="SECONDS", help="Maximum time per request.")] = 60,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Worker threads (default: one per core).")
    ] = None,
    gather: Annotated[bool, typer.Option(help="Label texts of concurrent requests in one batch.")] = True,
    log_level: Annotated[str, typer.Option(metavar="LEVEL", help="Log level: debug, info, warning or error.")] = "info",
) -> None:
    """Serve the HTTP API, and a web page that shows an article with its readings.

    [bold]Examples[/bold]

      detente serve

      curl localhost:8000/v1/label -H 'Content-Type: application/json' -d '{"text": "Japan thanked India."}'

      detente serve --host 0.0.0.0 --api-key-file keys.txt --allow-host news.example.org

    Any address that other machines can reach requires an API key; see docs/serving.md.
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
    if not SHORTEST_TIMEOUT <= timeout <= LONGEST_TIMEOUT:  # nan is neither
        raise BadUsage(f"--timeout {timeout:g} is not between {SHORTEST_TIMEOUT:g} and {LONGEST_TIMEOUT:g} seconds")
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
        held=max_held,
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
