"""The border between a request and its networks, as this installation is set up."""

from collections.abc import Iterator

import pytest

from vteam import settings
from vteam.channels import networks
from vteam.errors import SettingsError

KEY = b"a key"


@pytest.fixture(autouse=True)
def _settings_are_read_anew() -> Iterator[None]:
    networks.trusted_proxies.cache_clear()
    yield
    networks.trusted_proxies.cache_clear()


@pytest.fixture(autouse=True)
def _outside_the_demo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "DEMO", False)


def test_without_proxies_the_socket_is_the_only_address() -> None:
    assert networks.address_of("198.51.100.1", "203.0.113.7") == "198.51.100.1"


def test_a_trusted_proxy_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", ["127.0.0.1", "10.0.0.0/8"])
    assert networks.address_of("127.0.0.1", "203.0.113.7, 10.1.2.3") == "203.0.113.7"


def test_wrong_proxies_are_all_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "TRUSTED_PROXIES", ["127.0.0.1", "caddy", "10.0.0.1/8"])
    with pytest.raises(SettingsError) as refused:
        networks.trusted_proxies()
    assert "VTEAM_TRUSTED_PROXIES" in str(refused.value)
    assert "caddy" in str(refused.value)
    assert "10.0.0.1/8" in str(refused.value)
    assert "for example" in str(refused.value)


def test_the_host_name_matters_in_the_demo_only(monkeypatch: pytest.MonkeyPatch) -> None:
    def seen(host: str) -> str:
        return networks.networks_of("127.0.0.1", "", host=host, key=KEY).near

    assert seen("bo.localhost") == seen("cy.localhost")
    monkeypatch.setattr(settings, "DEMO", True)
    assert seen("bo.localhost") != seen("cy.localhost")
    assert seen("bo.localhost:8000") == seen("BO.localhost") == seen("bo.localhost:8001")
    assert seen("[::1]:8000") == seen("[::1]")


def test_budgets_count_by_the_same_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert networks.near_of("203.0.113.7", "", host="localhost") == "203.0.113.0/24"
    monkeypatch.setattr(settings, "DEMO", True)
    assert networks.near_of("127.0.0.1", "", host="bo.localhost:8001") == "127.0.0.0/24 bo.localhost"
