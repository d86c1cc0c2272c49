"""Creates a model of an image: python3 model.py photo.jpg model.glb

Needs Python 3.9 or newer and no packages. API names the server, API_KEY its key if it needs one.
"""

import base64
import json
import os
import sys
import time
import urllib.error
import urllib.request

API = os.environ.get("API", "http://127.0.0.1:8787")


def send(path, body=None):
    """Sends a request, and returns the data of the response."""
    headers = {"content-type": "application/json"}
    if "API_KEY" in os.environ:
        headers["x-api-key"] = os.environ["API_KEY"]
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data, headers)
    try:
        with urllib.request.urlopen(request, timeout=60) as response:
            return json.load(response)["data"]
    except urllib.error.HTTPError as error:
        sys.exit(f"{error}: {error.read().decode(errors='replace')}")


def main(image, model):
    with open(image, "rb") as file:
        # The server finds out the format.
        image_url = "data:;base64," + base64.b64encode(file.read()).decode()
    session = send("/image-to-3d-sessions", {"image_url": image_url, "generate_texture": True})
    code = session["session_code"]
    while not (url := session.get("preview_mesh_url_glb")):
        if session["status"].endswith("_failed"):
            sys.exit(f"{code} ended as {session['status']}: {session.get('error')}")
        print(code, session["status"])
        time.sleep(1)
        session = send(f"/image-to-3d-sessions/{code}")
    urllib.request.urlretrieve(url, model)
    print(code, "saved as", model)


if __name__ == "__main__":
    main(*sys.argv[1:])
