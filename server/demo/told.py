"""One shift from the first login to the last check, told while it happens. Serves `server.demo.__main__`."""

from __future__ import annotations

from itertools import count

from server.demo import office as indoors
from server.demo import report
from server.demo import shift as street
from server.demo.camera import Camera
from server.demo.counts import all_checks, ledger_of
from server.demo.hosting import Hosted
from server.demo.installation import Installation
from server.demo.office import Office
from server.demo.patrol import Patrol
from server.demo.people import PROVINCE, enter, logged_in
from server.demo.shift import Shift
from server.demo.telling import Telling
from server.demo.town import LABEL, SCOPE, Town, make_town

SEED = 20261122


def run_shift(telling: Telling, server: Hosted, installation: Installation, camera: Camera) -> bool:
    """Set the installation up, run the shift and tell it; true when all counts agree.

    Leaves the server running. What was told is kept when the shift came to its end.
    """
    town = make_town(SEED)
    office = _settle_in(telling, server, installation, town)
    shift = street.begin(_enrol(server, installation, office, camera), town.shops, SEED)
    try:
        morning_note = _go_out(telling, shift, office, camera)
        _in_the_office(telling, shift, office)
        ledger = ledger_of(shift)
        checks = all_checks(shift, office, ledger, morning_note)
    finally:
        for patrol in shift.patrols:
            patrol.device.close()
    report.tell_arrivals(telling, shift, ledger)
    report.tell_together(telling, shift, office)
    report.tell_zones(telling, office)
    report.tell_office(telling, office)
    agreed = report.tell_checks(telling, checks)
    if agreed:
        installation.write("\n".join(telling.lines))
    return agreed


def _settle_in(telling: Telling, server: Hosted, installation: Installation, town: Town) -> Office:
    """Server, people, zones."""
    admin, *others = installation.people
    telling.step("建立安装并启动服务器", "setting up an installation and starting the server")
    server.start()
    server.cli("user", "add", admin.username, "--name", admin.name, "--role", admin.role, "--scope", PROVINCE,
               "--password-stdin", stdin=admin.password + "\n")
    telling.fact(server.url)
    client = logged_in(server.url, admin)
    telling.step("人员与责任区", "people and zones")
    enter(client, others)
    imported, roads = client.post("/zones/import", town.zones), client.post("/roads/import", town.roads)
    telling.fact(f"{len(installation.people)} 人 people; 湖塘镇 {SCOPE}: {imported['imported']} 个责任区 "
                 f"zones imported, {len(imported['rejected'])} 个被拒 rejected, {roads['imported']} 条道路 roads")
    telling.fact(LABEL)
    return Office.open(server.url, installation.people)


def _enrol(server: Hosted, installation: Installation, office: Office, camera: Camera) -> list[Patrol]:
    """Three inspectors enrol their handhelds by the supervisor's invitations."""
    inspectors = [person for person in installation.people if person.role == "inspector"][:3]
    codes = [office.supervisor.post("/devices/invitations", {"username": person.username})["code"]
             for person in inspectors]
    return [Patrol.enrol(server.url, code, person, installation.handhelds / person.username, camera, seed)
            for code, person, seed in zip(codes, inspectors, count(SEED))]


def _go_out(telling: Telling, shift: Shift, office: Office, camera: Camera) -> str:
    """Morning, hours apart, the way back; gives the checkpoint of the morning."""
    telling.step("早班:三台手持机注册、拉取", "morning: three handhelds enrol and pull")
    street.morning(shift)
    note: str = office.admin.get("/journal/checkpoint")
    telling.fact(f"每台 {len(shift.patrols[0].device.records('zone'))} 个责任区 zones on each, "
                 "公钥 P-256 each signs with its own key")
    telling.step("断网:各自巡查、拍照、改同一批记录", "offline: patrol, photograph, edit the same records")
    street.apart(shift)
    for patrol in shift.patrols:
        device = patrol.device
        telling.fact(f"{patrol.person.name}: 待送变更 {len(device.unsent())} mutations, "
                     f"待传照片 {len(device.photos('waiting'))} photos waiting")
    telling.fact(f"试着同步 {shift.lost_calls} 次,无网络;什么都没丢  {shift.lost_calls} tries to sync met no network, "
                 "nothing is lost")
    if camera.real:
        telling.fact(f"其中 {camera.real} 张为所给照片  {camera.real} of the photos are the given ones")
    telling.step("回到信号差的地方:中断、丢失、重复,直到安静",
                 "back in a bad network: cuts, losses, repeats, until all is quiet")
    turns = street.home(shift, bad=True)
    telling.fact(f"{turns} 轮 turns, {shift.lost_calls} 次同步半途而废 syncs broke off")
    return note


def _in_the_office(telling: Telling, shift: Shift, office: Office) -> None:
    """Reviews and their return to the street, conflicts, quarantine, dispatch, the spot check."""
    telling.step("办公室:审核、裁决、放行、派遣", "the office: review, resolve, release, dispatch")
    indoors.review(office, shift)
    indoors.settle(office, shift)
    telling.step("退回的任务到手持机:重拍", "a returned finding reaches its handheld: photograph again")
    indoors.retake(office, shift)
    street.home(shift, bad=False)
    indoors.accept_retaken(office, shift)
    telling.step("抽查:冻结、抽样、盲评", "spot check: freeze, draw, judge blind")
    indoors.spot_check(office)
    street.home(shift, bad=False)
