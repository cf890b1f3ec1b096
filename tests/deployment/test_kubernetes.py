"""The manifests are what Kubernetes accepts, belong together, and start what the image and the settings really are."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from deployment.files import COMPOSE, KUBERNETES, accepted, dockerfile, documents, image_environment, user_id
from deployment.programs import program
from sluicegate import __version__
from sluicegate.cli.server import GRACE_SECONDS
from sluicegate.settings import PREFIX, Settings
from sluicegate.web.health import LIVES, READY
from sluicegate.web.plain import METRICS

# The least that has all the fields in use, and one of today's.
VERSIONS = ("1.27", "1.37")
KUSTOMIZATION = KUBERNETES / "kustomization.yaml"
MANIFESTS = sorted(path for path in KUBERNETES.glob("*.yaml") if path != KUSTOMIZATION)
NGINX = "nginx.ingress.kubernetes.io/proxy-"
LABELS = {"app.kubernetes.io/name": "sluicegate"}
MOUNTED = Path("/run/secrets/sluicegate")


@pytest.fixture(scope="module")
def objects() -> dict[tuple[str, str], Any]:
    """By kind and name."""
    found = [document for path in MANIFESTS for document in documents(path)]
    return {(one["kind"], one["metadata"]["name"]): one for one in found}


@pytest.fixture(scope="module")
def kustomization() -> Any:
    (document,) = documents(KUSTOMIZATION)
    return document


@pytest.fixture(scope="module")
def pod(objects: dict[tuple[str, str], Any]) -> Any:
    return objects["StatefulSet", "sluicegate"]["spec"]["template"]["spec"]


@pytest.fixture(scope="module")
def gateway(pod: Any) -> Any:
    (container,) = pod["containers"]
    return container


def variables(container: Any) -> dict[str, str]:
    return {one["name"]: one["value"] for one in container["env"]}


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", VERSIONS)
def test_every_manifest_is_valid(path: Path, version: str) -> None:
    for document in documents(path):
        kubernetes_validate.validate(document, version, strict=True)


def test_what_is_not_valid_is_found() -> None:
    (pdb,) = documents(KUBERNETES / "disruption.yaml")
    pdb["spec"]["maxUnavailabel"] = 1
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pdb, VERSIONS[-1], strict=True)


def test_kustomize_builds_all_of_it(kustomization: Any) -> None:
    done = subprocess.run([program("kubectl"), "kustomize", KUBERNETES], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    for one in built:
        kubernetes_validate.validate(one, VERSIONS[-1], strict=True)
        assert one["metadata"].get("namespace") == (None if one["kind"] == "Namespace" else "sluicegate")
    (image,) = kustomization["images"]
    (spec,) = [one["spec"]["template"]["spec"] for one in built if one["kind"] == "StatefulSet"]
    containers = [*spec["initContainers"], *spec["containers"]]
    assert {one["image"] for one in containers} == {f"{image['newName']}:{image['newTag']}"}
    (settings,) = [one["metadata"]["name"] for one in built if one["kind"] == "ConfigMap"]
    assert {one["configMapRef"]["name"] for each in containers for one in each["envFrom"]} == {settings}
    assert settings.startswith("sluicegate-settings-")


def test_the_component_for_prometheus_scrapes_each_pod_once(
    objects: dict[tuple[str, str], Any], tmp_path: Path
) -> None:
    """In an overlay, as somebody has it who keeps their own settings beside ours."""
    shutil.copytree(KUBERNETES, tmp_path / "kubernetes")
    overlay = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "resources": ["../kubernetes"],
        "components": ["../kubernetes/prometheus-operator"],
    }
    (tmp_path / "overlay").mkdir()
    (tmp_path / "overlay" / "kustomization.yaml").write_text(yaml.safe_dump(overlay))
    command = [program("kubectl"), "kustomize", tmp_path / "overlay"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    (monitor,) = [one for one in built if one["kind"] == "ServiceMonitor"]
    assert (monitor["apiVersion"], monitor["metadata"]["namespace"]) == ("monitoring.coreos.com/v1", "sluicegate")
    spec = monitor["spec"]
    assert set(spec) == {"selector", "endpoints"}
    wanted = spec["selector"]["matchLabels"].items()
    services = [one for one in built if one["kind"] == "Service" and wanted <= one["metadata"]["labels"].items()]
    assert [one["metadata"]["name"] for one in services] == ["sluicegate-pods"]
    (endpoint,) = spec["endpoints"]
    assert set(endpoint) == {"port", "path", "interval", "authorization"}
    assert endpoint["port"] in {port["name"] for port in services[0]["spec"]["ports"]}
    assert endpoint["authorization"]["credentials"] == {"name": "sluicegate-metrics", "key": "token"}
    assert endpoint["path"] == METRICS
    # And nobody gets it who has not asked for it, since no other cluster knows of such things.
    assert "ServiceMonitor" not in {kind for kind, _ in objects}


def test_all_files_are_named_and_the_image_is_of_this_release(kustomization: Any) -> None:
    left_out = {path.name for path in MANIFESTS} - set(kustomization["resources"])
    assert left_out == {"autoscaling.yaml"}
    assert kustomization["images"][0]["newTag"] == __version__


def test_servers_take_its_settings_with_the_secrets_that_the_script_makes(
    kustomization: Any, pod: Any, tmp_path: Path
) -> None:
    subprocess.run(["sh", COMPOSE / "secrets.sh", tmp_path], check=True, capture_output=True)
    (generated,) = kustomization["configMapGenerator"]
    given = dict(literal.split("=", 1) for literal in generated["literals"])
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["envFrom"] == [{"configMapRef": {"name": generated["name"]}}]
        files = [Path(v) for k, v in variables(container).items() if k.startswith(PREFIX) and k.endswith("_FILE")]
        assert {path.parent for path in files} == {MOUNTED}
        settings = accepted(given | variables(container), tmp_path)
        assert (settings.redis_url, settings.database_url is None) == ("redis://redis:6379/0", False)
        assert settings.kek_primary is not None
    (secret,) = [volume["secret"] for volume in pod["volumes"] if "secret" in volume]
    assert secret == {"secretName": "sluicegate", "defaultMode": 0o440}


def test_no_variable_of_a_service_is_taken_for_a_setting(pod: Any) -> None:
    assert pod["enableServiceLinks"] is False


def test_it_runs_under_the_restricted_standard(objects: dict[tuple[str, str], Any], pod: Any) -> None:
    labels = objects["Namespace", "sluicegate"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    wanted = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert wanted.items() <= pod["securityContext"].items()
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(pod)
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"requests", "limits"} == set(container["resources"])
    kinds = {kind for volume in pod["volumes"] for kind in volume} - {"name"}
    assert kinds == {"secret", "emptyDir"}


def test_the_journal_outlives_its_pod(objects: dict[tuple[str, str], Any], pod: Any, gateway: Any) -> None:
    spec = objects["StatefulSet", "sluicegate"]["spec"]
    (claim,) = spec["volumeClaimTemplates"]
    mounts = {mount["mountPath"]: mount["name"] for mount in gateway["volumeMounts"]}
    assert mounts[image_environment()["SLUICEGATE_DATA_DIR"]] == claim["metadata"]["name"]
    assert spec["persistentVolumeClaimRetentionPolicy"] == {"whenScaled": "Retain", "whenDeleted": "Retain"}
    context = pod["securityContext"]
    assert {context["runAsUser"], context["runAsGroup"], context["fsGroup"]} == {user_id()}


def test_probes_and_ports_are_those_of_the_server(gateway: Any) -> None:
    assert gateway["ports"] == [{"name": "http", "containerPort": int(image_environment()["SLUICEGATE_PORT"])}]
    asked = {kind: gateway[f"{kind}Probe"]["httpGet"] for kind in ("startup", "readiness", "liveness")}
    assert {one["path"] for one in asked.values()} <= {LIVES, READY}
    assert [asked[kind]["path"] for kind in asked] == ["/healthz", "/readyz", "/healthz"]
    assert {one["port"] for one in asked.values()} == {"http"}
    assert gateway["args"] == json.loads(dockerfile("CMD")[0])


def test_there_is_time_for_calls_to_end(pod: Any, gateway: Any) -> None:
    drain, probe = int(variables(gateway)["SLUICEGATE_DRAIN_SECONDS"]), gateway["readinessProbe"]
    assert drain >= 3 * probe["periodSeconds"] * probe["failureThreshold"]
    assert pod["terminationGracePeriodSeconds"] >= drain + GRACE_SECONDS + 10


def test_one_at_a_time_goes_and_never_all(objects: dict[tuple[str, str], Any]) -> None:
    spec = objects["StatefulSet", "sluicegate"]["spec"]
    assert spec["replicas"] >= 2
    assert spec["updateStrategy"] == {"type": "RollingUpdate"}
    assert objects["PodDisruptionBudget", "sluicegate"]["spec"]["maxUnavailable"] == 1
    scaling = objects["HorizontalPodAutoscaler", "sluicegate"]["spec"]
    assert scaling["minReplicas"] == spec["replicas"]
    assert scaling["scaleTargetRef"] == {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "sluicegate"}


def test_everything_points_at_the_same_pods(objects: dict[tuple[str, str], Any], pod: Any, gateway: Any) -> None:
    stateful = objects["StatefulSet", "sluicegate"]["spec"]
    services = [objects["Service", name]["spec"] for name in ("sluicegate", "sluicegate-pods")]
    selectors = [
        stateful["selector"]["matchLabels"],
        stateful["template"]["metadata"]["labels"],
        objects["PodDisruptionBudget", "sluicegate"]["spec"]["selector"]["matchLabels"],
        objects["NetworkPolicy", "sluicegate"]["spec"]["podSelector"]["matchLabels"],
        *(one["labelSelector"]["matchLabels"] for one in pod["topologySpreadConstraints"]),
        *(service["selector"] for service in services),
    ]
    assert all(selector == LABELS for selector in selectors)
    assert stateful["serviceName"] == "sluicegate-pods"
    assert services[1]["clusterIP"] == "None"
    assert {port["targetPort"] for service in services for port in service["ports"]} == {gateway["ports"][0]["name"]}
    (rule,) = objects["NetworkPolicy", "sluicegate"]["spec"]["ingress"]
    assert rule["ports"] == [{"port": gateway["ports"][0]["containerPort"]}]


def test_the_ingress_holds_nothing_back(objects: dict[tuple[str, str], Any], kustomization: Any) -> None:
    ingress = objects["Ingress", "sluicegate"]
    told = ingress["metadata"]["annotations"]
    assert told[f"{NGINX}buffering"] == told[f"{NGINX}request-buffering"] == "off"
    usual = Settings()
    assert int(told[f"{NGINX}body-size"].removesuffix("m")) << 20 > usual.max_body_bytes
    assert int(told[f"{NGINX}read-timeout"]) >= usual.first_byte_timeout
    (rule,), (tls,) = ingress["spec"]["rules"], ingress["spec"]["tls"]
    assert f"SLUICEGATE_PUBLIC_URL=https://{rule['host']}" in kustomization["configMapGenerator"][0]["literals"]
    assert tls["hosts"] == [rule["host"]]
    (path,) = rule["http"]["paths"]
    service = objects["Service", path["backend"]["service"]["name"]]
    assert path["backend"]["service"]["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
