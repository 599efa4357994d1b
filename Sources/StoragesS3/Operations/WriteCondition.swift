import Storages
import StoragesHTTP

/// The condition of a write.
struct WriteCondition: Hashable, Sendable {
    /// The header that states the condition.
    var field: HTTPHeaders.Field
    /// A Boolean value that indicates whether the object has to exist, in a certain version, rather than not at all.
    var wantsVersion: Bool

    /// Returns the condition that no object exists.
    ///
    /// - Returns: `nil` where the server cannot make a write depend on that.
    static func absence(by condition: ConditionalWrites.Absence) -> WriteCondition? {
        condition.field.map { WriteCondition(field: $0) }
    }

    /// Returns the condition that the object has a certain entity tag.
    ///
    /// - Returns: `nil` where the server cannot make a write depend on that.
    static func version(_ tag: String, by condition: ConditionalWrites.Tag) -> WriteCondition? {
        condition.field(tag).map { WriteCondition(field: $0) }
    }

    init(field: HTTPHeaders.Field) {
        self.field = field
        wantsVersion = field.name == "If-Match"
    }

    /// Creates the condition of an upload; `nil` when it has none, and where the server does not support it.
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
