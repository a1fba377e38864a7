"""How an export is served over HTTP, for its model card."""

from collections.abc import Sequence

from rnnpipe.tasks.inputs import Input

SERVICE = """\
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import rnnpipe

predictor = rnnpipe.load("{folder}").predictor


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        rows = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        answers = [
            {{"error": str(each)}} if isinstance(each, rnnpipe.UserError) else each.to_json()
            for each in predictor.predict(rows)
        ]
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(answers).encode())


ThreadingHTTPServer(("127.0.0.1", 8000), Service).serve_forever()
"""
"""A service of the standard library for inputs that are texts and numbers."""

_MLFLOW = """\
```bash
mlflow models serve --model-uri {folder} --env-manager local --port 5000
curl http://127.0.0.1:5000/invocations --header "Content-Type: application/json" \\
  --data @{folder}/serving_input_example.json
```

It needs `pip install 'rnnpipe[mlflow]'`. The columns of the answers: `prediction`, `probability`,
`answers`, `timeline`, `notes`, and `error` of a row that cannot be read.
"""
_FILES = "With `--format mlflow` the same run has a server that takes files as bytes.\n"


def describe_serving(format_name: str, inputs: Sequence[Input], folder: str) -> str:
    """How to serve an export, Markdown.

    Args:
        format_name: of the export.
        inputs: that its task declares. A service that takes paths would read any of its files.
        folder: the name of the export.
    """
    if format_name == "mlflow":
        return _MLFLOW.format(folder=folder)
    if any(declared.endings for declared in inputs):
        return _FILES
    return f"```python\n{SERVICE.format(folder=folder)}```\n"
