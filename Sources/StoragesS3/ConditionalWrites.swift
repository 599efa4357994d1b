/// Which writes can be made to depend on what is there.
struct ConditionalWrites: Hashable, Sendable {
    var onPut: EndpointProfile.CreateCondition
    var onComplete: EndpointProfile.CreateCondition
    var onCopy: EndpointProfile.CreateCondition

    init(_ profile: EndpointProfile) {
        onPut = profile.createOnPut
        onComplete = profile.createOnComplete
        onCopy = profile.createOnCopy
    }
}

extension EndpointProfile.CreateCondition {
    var isSupported: Bool { field != nil }

    /// The field that makes a write fail when the object is there.
    var field: HTTPHeaders.Field? {
        switch self {
        case .ifNoneMatch: HTTPHeaders.Field(name: "If-None-Match", value: "*")
        case .header(let name, let value): HTTPHeaders.Field(name: name, value: value)
        case .unsupported, .unknown: nil
        }
    }
}
