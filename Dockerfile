# mlconform, to judge (`docker run IMAGE run --target URL`) or as the mock (without arguments).
FROM python:3.13-slim AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/mlconform && /opt/mlconform/bin/pip install --no-cache-dir --quiet "/src[run]"

FROM python:3.13-slim
COPY --from=build /opt/mlconform /opt/mlconform
RUN useradd --uid 10001 --create-home mlconform
ENV PATH=/opt/mlconform/bin:$PATH PYTHONDONTWRITEBYTECODE=1
USER mlconform
WORKDIR /home/mlconform
EXPOSE 9280
# Of the mock; a container that judges ends before it matters.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9280/_mock/health', timeout=2)"]
ENTRYPOINT ["mlconform"]
CMD ["mock", "--host", "0.0.0.0", "--port", "9280"]
