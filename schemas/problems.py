"""Every failure that can cross the wire, in one list: code, status, what the client should do, title.

A failure is `application/problem+json` (RFC 9457). `code` is stable; `action` tells a client what to do. The same
problems stand inside the outcome of a quarantined mutation, where the status says what a web page would have got.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple


class Kind(NamedTuple):
    """One kind of failure: HTTP status, action for the client, title in Chinese and English."""

    status: int
    action: str
    title: str


ACTIONS: Final = ("none", "retry", "relogin", "upgrade", "resnapshot", "new_device", "contact")

PROBLEMS: Final[Mapping[str, Kind]] = {
    # who asks
    "login_required":       Kind(401, "relogin", "需要登录 Login required"),
    "bad_credentials":      Kind(401, "none", "用户名或密码错误 Wrong user name or password"),
    "token_expired":        Kind(401, "relogin", "登录已过期 Token expired"),
    "device_revoked":       Kind(401, "contact", "设备已被停用 Device revoked"),
    "user_inactive":        Kind(401, "contact", "账号已停用 Account inactive"),
    "signature_invalid":    Kind(401, "contact", "签名无效 Signature invalid"),
    "role_forbidden":       Kind(403, "contact", "角色无此权限 Role has no such right"),
    "out_of_scope":         Kind(403, "contact", "不在责任范围内 Out of scope"),
    "device_required":      Kind(403, "new_device", "须由已登记设备调用 Only an enrolled device may call this"),
    "person_required":      Kind(403, "relogin", "须由本人登录调用 Only a person with a login may call this"),
    "own_work":             Kind(403, "none", "不得审核本人工作 Own work cannot be reviewed"),
    "csrf_invalid":         Kind(403, "retry", "页面已过期,请刷新 Page expired, reload"),
    "too_many_requests":    Kind(429, "retry", "请求过于频繁 Too many requests"),
    "invitation_invalid":   Kind(404, "contact", "邀请码不存在 No such invitation"),
    "invitation_used":      Kind(409, "contact", "邀请码已使用 Invitation already used"),
    "invitation_of_another": Kind(409, "contact", "邀请码属于他人 Invitation of somebody else"),
    "invitation_expired":   Kind(410, "contact", "邀请码已过期 Invitation expired"),
    "username_taken":       Kind(409, "none", "用户名已存在 User name taken"),
    # the request itself
    "invalid_request":      Kind(422, "none", "请求内容有误 Invalid request"),
    "invalid_json":         Kind(400, "none", "不是有效的 JSON Body is not valid JSON"),
    "invalid_encoding":     Kind(400, "none", "无法解压请求 Body cannot be decoded"),
    "unknown_field":        Kind(422, "upgrade", "未知成员 Unknown member"),
    "unsupported_media_type": Kind(415, "none", "不支持的内容类型 Unsupported content type"),
    "not_found":            Kind(404, "none", "不存在 Not found"),
    "method_not_allowed":   Kind(405, "none", "不支持的方法 Method not allowed"),
    "malformed_request":    Kind(400, "none", "不是有效的 HTTP 请求 Not a valid HTTP request"),
    "address_too_long":     Kind(414, "none", "地址过长 Address too long"),
    "headers_too_large":    Kind(431, "none", "请求头过大 Header fields too large"),
    "expectation_failed":   Kind(417, "none", "不支持的 Expect Expectation not supported"),
    "not_implemented":      Kind(501, "none", "不支持的传输编码 Transfer coding not supported"),
    "too_large":            Kind(413, "none", "内容过大 Body too large"),
    "range_unsatisfiable":  Kind(416, "none", "没有这一段字节 No such range of bytes"),
    "precondition_failed":  Kind(412, "none", "前提条件不成立 Precondition failed"),
    "length_required":      Kind(411, "none", "缺少长度 Length required"),
    "request_timeout":      Kind(408, "retry", "接收超时 Request timed out"),
    "busy":                 Kind(503, "retry", "服务器繁忙 Server busy"),
    "unavailable":          Kind(503, "retry", "服务暂不可用 Temporarily unavailable"),
    "internal_error":       Kind(500, "retry", "服务器内部错误 Internal error"),
    # push
    "sequence_gap":         Kind(409, "retry", "编号不连续 Sequence gap"),
    "batch_not_consecutive": Kind(422, "none", "批内编号不连续 Batch numbers not consecutive"),
    "batch_too_large":      Kind(413, "retry", "批量过大 Batch too large"),
    "device_forked":        Kind(409, "new_device", "设备编号冲突 Device forked"),
    "group_split":          Kind(422, "none", "分组不连续 Group is not consecutive"),
    # one mutation
    "invalid_mutation":     Kind(422, "none", "变更格式有误 Malformed mutation"),
    "unreadable_value":     Kind(422, "none", "含无法保存的值 A value that cannot be kept"),
    "mutation_too_large":   Kind(413, "none", "单条变更过大 Mutation too large"),
    "record_too_large":     Kind(413, "none", "记录已满 The record is full"),
    "id_reused":            Kind(409, "contact", "编号被重复使用 Mutation id used by somebody else"),
    "type_unknown":         Kind(422, "upgrade", "未知记录类型 Unknown record type"),
    "type_mismatch":        Kind(409, "none", "记录类型不符 The record is of another type"),
    "scope_required":       Kind(422, "none", "缺少责任范围 Scope required"),
    "scope_unknown":        Kind(422, "contact", "未知区划代码 Unknown scope"),
    "status_unknown":       Kind(422, "upgrade", "未知状态 Unknown status"),
    "field_invalid":        Kind(422, "none", "字段有误 Invalid field"),
    "field_missing":        Kind(422, "none", "缺少必填字段 Required field missing"),
    "crs_missing":          Kind(422, "none", "位置缺少坐标系 Position without coordinate system"),
    "crs_unknown":          Kind(422, "upgrade", "未知坐标系 Unknown coordinate system"),
    "class_unknown":        Kind(422, "upgrade", "未知类别 Unknown class"),
    "template_unknown":     Kind(422, "upgrade", "未知模板 Unknown template"),
    "offence_unknown":      Kind(422, "upgrade", "未知违法事项 Unknown offence"),
    "base_ahead":           Kind(409, "resnapshot", "基准版本高于服务器 Base is ahead of the server"),
    "immutable_field":      Kind(409, "none", "字段不可更改 Field cannot be changed"),
    "sealed":               Kind(409, "none", "文书已封存 Record is sealed"),
    "record_deleted":       Kind(409, "none", "记录已删除 Record is deleted"),
    "record_missing":       Kind(404, "none", "所指记录未到达 Record referred to never arrived"),
    "record_exists":        Kind(409, "none", "记录已存在 Record exists already"),
    "not_processed":        Kind(422, "contact", "未能处理,已原样保留 Kept whole, but not processed"),
    "group_failed":         Kind(409, "none", "同组变更失败 Another mutation of the group failed"),
    "command_unknown":      Kind(422, "upgrade", "未知命令 Unknown command"),
    "state_moved":          Kind(409, "resnapshot", "状态已变化 State moved on"),
    "need_missing":         Kind(422, "none", "条件不满足 A condition is not met"),
    "own_handling":         Kind(403, "none", "处置人不得核查结案 The one who handled cannot check or close"),
    "own_unit":             Kind(403, "none", "责任单位不得自行结案 A unit never closes its own case"),
    "assignee_required":    Kind(403, "contact", "仅限被指派人 Only the assignee may do this"),
    "assignee_unknown":     Kind(422, "none", "无此指派对象 Unknown assignee"),
    "assignee_out_of_scope": Kind(422, "none", "被指派人不负责该区域 The assignee does not work in this scope"),
    "choice_invalid":       Kind(422, "none", "选择无效 Invalid choice"),
    "zone_unknown":         Kind(422, "none", "责任区不存在 Unknown zone"),
    "not_creatable":        Kind(403, "none", "该类记录由服务器产生 Records of this type are made by the server"),
    "conflict":             Kind(409, "resnapshot", "存在冲突 Conflict"),
    "quarantine_settled":   Kind(409, "none", "该条已处理 Already settled"),
    # pull
    "cursor_invalid":       Kind(400, "resnapshot", "游标无效 Cursor invalid"),
    "cursor_expired":       Kind(410, "resnapshot", "游标已过期 Cursor expired"),
    "log_forked":           Kind(409, "resnapshot", "服务器曾恢复备份 Server was restored"),
    "snapshot_preparing":   Kind(503, "retry", "快照正在生成 The snapshot is being made"),
    # photos and files
    "digest_mismatch":      Kind(422, "retry", "摘要不符 Digest mismatch"),
    "checksum_mismatch":    Kind(460, "retry", "分块校验不符 Checksum mismatch"),
    "checksum_unsupported": Kind(400, "none", "不支持的校验算法 Unsupported checksum algorithm"),
    "offset_mismatch":      Kind(409, "retry", "偏移不符 Offset mismatch"),
    "upload_locked":        Kind(423, "retry", "上传正在进行 Upload is locked"),
    "upload_gone":          Kind(410, "retry", "上传已失效 Upload is gone"),
    "tus_version":          Kind(412, "upgrade", "tus 版本不支持 Unsupported tus version"),
    "media_type_refused":   Kind(415, "none", "不是可接受的图片 Not an accepted picture"),
    "too_many_pixels":      Kind(422, "none", "像素过多 Too many pixels"),
    "reason_required":      Kind(422, "none", "须填写调阅理由 Reason required"),
    # keeping and giving up
    "held_by_order":        Kind(409, "none", "已被保全 Under a legal hold"),
    "not_due":              Kind(409, "none", "保管期限未满 The retention period is not over"),
    "own_proposal":         Kind(403, "none", "提出人不得审批 Who proposed it may not decide"),
    "proposal_altered":     Kind(409, "contact", "提议与日志不符 The proposal is not what the journal says"),
    "not_erasable":         Kind(422, "none", "此项不可删除 This cannot be erased"),
    "disposed":             Kind(410, "none", "照片已按批准销毁 The photo was disposed of"),
    # zones, journal, review, spot checks
    "size_invalid":         Kind(422, "none", "范围有误 Size or range invalid"),
    "claimed":              Kind(409, "retry", "已被他人认领 Claimed by somebody else"),
    "version_changed":      Kind(409, "resnapshot", "记录已更新 Record changed meanwhile"),
    "already_drawn":        Kind(409, "none", "已抽取 Already drawn"),
    "already_judged":       Kind(409, "none", "已作出结论 Verdict already given"),
    "not_drawn":            Kind(409, "none", "尚未抽取 Not drawn yet"),
    "frame_empty":          Kind(422, "none", "抽查名录为空 Frame is empty"),
}


def by_path(messages: Any, path: str = "") -> dict[str, list[str]]:
    """The texts of a tree of marshmallow's messages by the dotted path of what each is about; `body` is all of it."""
    if not isinstance(messages, Mapping):
        return {path: [str(text) for text in (messages if isinstance(messages, list) else [messages])]}
    return {place: texts for name, part in messages.items()
            for place, texts in by_path(part, _below(path, str(name))).items()}


def _below(path: str, name: str) -> str:
    if name == "_schema":  # marshmallow's name for the object itself
        return path or "body"
    return f"{path}.{name}" if path else name


class Problem(Exception):
    """A refusal: raised anywhere below the API, turned into problem+json or into a quarantined outcome above.

    `hidden` says that the thing is there and the one who asks may not know of it; it never crosses the wire.
    """

    def __init__(self, code: str, detail: str = "", *, errors: Mapping[str, list[str]] | None = None,
                 retry_after: int | None = None, hidden: bool = False, **extra: Any) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.kind = PROBLEMS[code]
        self.detail = detail or self.kind.title
        self.errors = dict(errors) if errors else None
        self.retry_after = retry_after
        self.hidden = hidden
        self.extra = extra

    def to_dict(self) -> dict[str, Any]:
        """The problem as it crosses the wire, RFC 9457 members first."""
        body: dict[str, Any] = {
            "type": f"urn:menqian:problem:{self.code}", "title": self.kind.title, "status": self.kind.status,
            "code": self.code, "detail": self.detail, "action": self.kind.action,
        }
        if self.errors:
            body["errors"] = self.errors
        return {**body, **self.extra}
