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
    static func absence(by condition: ConditionalWrites.Absence) -> WriteCondition? {
        condition.field.map { WriteCondition(field: $0) }
    }

    /// That the object has a certain tag.
    ///
    /// - Returns: `nil` where the server cannot make a write depend on that.
    static func version(_ tag: String, by condition: ConditionalWrites.Tag) -> WriteCondition? {
        condition.field(tag).map { WriteCondition(field: $0) }
    }

    init(field: HTTPHeaders.Field) {
        self.field = field
        wantsVersion = field.name == "If-Match"
    }

    /// What an upload depends on; `nil` for nothing, and where the server has no means.
    init?(_ ifExists: IfExists, by conditions: ConditionalWrites.Conditions, replacing tag: String? = nil) {
        if let tag {
            guard let version = WriteCondition.version(tag, by: conditions.tag) else { return nil }
            self = version
        } else if ifExists != .replace, let absence = WriteCondition.absence(by: conditions.absence) {
            self = absence
        } else {
            return nil
        }
    }
}
