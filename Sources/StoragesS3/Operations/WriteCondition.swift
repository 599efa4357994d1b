import Storages

/// What a write depends on.
struct WriteCondition: Hashable, Sendable {
    /// What it is said with.
    var field: HTTPHeaders.Field
    /// Whether the object has to be there, in a certain version, rather than not at all.
    var wantsVersion: Bool

    /// That no object is there.
    ///
    /// - Returns: `nil` where the server cannot make a write depend on that.
    static func absence(by condition: EndpointProfile.CreateCondition) -> WriteCondition? {
        condition.field.map { WriteCondition(field: $0, wantsVersion: false) }
    }

    /// That the object has a certain tag.
    static func version(_ tag: String) -> WriteCondition {
        WriteCondition(field: HTTPHeaders.Field(name: "If-Match", value: tag), wantsVersion: true)
    }

    private init(field: HTTPHeaders.Field, wantsVersion: Bool) {
        self.field = field
        self.wantsVersion = wantsVersion
    }

    /// What an upload depends on; `nil` for nothing, and where the server has no means.
    init?(_ ifExists: IfExists, by condition: EndpointProfile.CreateCondition, replacing tag: String? = nil) {
        if let tag {
            self = .version(tag)
        } else if ifExists != .replace, let absence = WriteCondition.absence(by: condition) {
            self = absence
        } else {
            return nil
        }
    }
}
