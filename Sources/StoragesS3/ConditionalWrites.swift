/// Which writes can be made to depend on what is there.
struct ConditionalWrites: Hashable, Sendable {
    var onPut: EndpointProfile.CreateCondition
    var onComplete: EndpointProfile.CreateCondition
    var onCopy: EndpointProfile.CreateCondition
    /// `If-Match` of PutObject.
    var replacement: EndpointProfile.Support
    /// `If-Match` of DeleteObject.
    var deletion: EndpointProfile.Support

    init(_ profile: EndpointProfile) {
        onPut = profile.createOnPut
        onComplete = profile.createOnComplete
        onCopy = profile.createOnCopy
        replacement = profile.replaceOnPut
        // The newest of the conditions; other servers are asked.
        deletion = profile.kind == .aws ? .supported : profile.replaceOnPut == .unsupported ? .unsupported : .unknown
    }

    /// These, and those found out for what is unknown.
    func filled(from found: ConditionalWrites) -> ConditionalWrites {
        var result = self
        if result.onPut == .unknown { result.onPut = found.onPut }
        if result.onComplete == .unknown { result.onComplete = found.onComplete }
        if result.onCopy == .unknown { result.onCopy = found.onCopy }
        if result.replacement == .unknown { result.replacement = found.replacement }
        if result.deletion == .unknown { result.deletion = found.deletion }
        return result
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
