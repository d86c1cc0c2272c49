"""Creates a session with the client that openapi-python-client has written to the package `client`, and prints
the URL of its model: python3 client.py SERVER IMAGE
"""

import base64
import sys
import time

from client import Client
from client.api.sessions import create_session, get_session
from client.models import CreateSession, Creativity, SessionStatus

server, image = sys.argv[1:]
client = Client(base_url=server, raise_on_unexpected_status=True)
with open(image, "rb") as file:
    image_url = "data:image/webp;base64," + base64.b64encode(file.read()).decode()

body = CreateSession(image_url=image_url, creativity=Creativity.LOWEST, pivot_point=[0, -0.5, 0])
session = create_session.sync(client=client, body=body, idempotency_key="python").data
while session.session_status != SessionStatus.COMPLETE:
    if session.session_status == SessionStatus.FAILED:
        sys.exit(session.error)
    time.sleep(0.1)
    session = get_session.sync(session.session_code, client=client).data
print(session.preview_mesh_url_glb)

rejected = create_session.sync_detailed(client=client, body=CreateSession(image_url="hello"))
print(rejected.status_code.value, rejected.parsed.message)
