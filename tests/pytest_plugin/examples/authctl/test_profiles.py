# mypy: ignore-errors
def test_a_profile_is_its_owners(passkey_user, authctl_in_process):
    somebody_else = authctl_in_process.register()
    assert passkey_user.client.get(f"/users/{passkey_user.id}").status_code == 200
    assert passkey_user.client.get(f"/users/{somebody_else.id}").status_code == 403
    somebody_else.close()
