import StoragesHTTP

/// The conditional writes that a server supports: a table of operations and conditions.
///
/// Each entry stands for one request of the S3 API. Servers are known that honour a condition of the one and ignore the
/// same condition of another, so none says anything about the others.
struct ConditionalWrites: Hashable, Sendable {
    /// The means by which a write depends on the absence of an object.
    enum Absence: Hashable, Sendable {
        /// The header `If-None-Match: *`.
        case ifNoneMatch
        /// A header of the server's own.
        case header(name: String, value: String)
        /// No means: the server ignores the condition, refuses it, or has several winners when they write at the same
        /// time.
        case unsupported
        /// An unknown means: the server has to be tried first.
        case unknown
    }

    /// The means by which a write depends on the entity tag of an object.
    enum Tag: Hashable, Sendable {
        /// The header `If-Match` and the tag in its quotes.
        case quoted
        /// The header `If-Match` and the tag without quotes: the server compares the value as it comes.
        case bare
        case unsupported
        case unknown
    }

    /// The conditions of an operation that makes an object of a body.
    struct Conditions: Hashable, Sendable {
        var absence = Absence.unknown
        var tag = Tag.unknown

        static let unsupported = Conditions(absence: .unsupported, tag: .unsupported)
    }

    /// The conditions of PutObject.
    var put = Conditions()
    /// The conditions of CompleteMultipartUpload.
    var complete = Conditions()
    /// The condition on the absence of the destination of CopyObject.
    var copy = Absence.unknown
    /// The condition on the entity tag of DeleteObject.
    var delete = Tag.unknown

    /// The table of a server that supports no condition.
    static let unsupported = ConditionalWrites(
        put: .unsupported,
        complete: .unsupported,
        copy: .unsupported,
        delete: .unsupported
    )

    /// Combines two tables, entry by entry.
    func combined(
        with other: ConditionalWrites,
        _ absence: (Absence, Absence) -> Absence,
        _ tag: (Tag, Tag) -> Tag
    ) -> ConditionalWrites {
        ConditionalWrites(
            put: Conditions(absence: absence(put.absence, other.put.absence), tag: tag(put.tag, other.put.tag)),
            complete: Conditions(
                absence: absence(complete.absence, other.complete.absence),
                tag: tag(complete.tag, other.complete.tag)
            ),
            copy: absence(copy, other.copy),
            delete: tag(delete, other.delete)
        )
    }

    /// Returns the entries in which both agree; the others are unknown.
    func agreeing(with other: ConditionalWrites) -> ConditionalWrites {
        combined(with: other, { $0 == $1 ? $0 : .unknown }, { $0 == $1 ? $0 : .unknown })
    }

    /// Returns these claims, corrected by what a trial has seen, which counts more.
    ///
    /// Only a claim of no support stays: some servers do it right one after the other, and wrong at the same time.
    func corrected(by seen: ConditionalWrites) -> ConditionalWrites {
        combined(
            with: seen,
            { $0 == .unsupported || $1 == .unknown ? $0 : $1 },
            { $0 == .unsupported || $1 == .unknown ? $0 : $1 }
        )
    }
}

extension ConditionalWrites.Absence {
    var isSupported: Bool { field != nil }

    /// The header that makes a write fail when the object exists.
    var field: HTTPHeaders.Field? {
        switch self {
        case .ifNoneMatch: HTTPHeaders.Field(name: "If-None-Match", value: "*")
        case .header(let name, let value): HTTPHeaders.Field(name: name, value: value)
        case .unsupported, .unknown: nil
        }
    }
}

extension ConditionalWrites.Tag {
    var isSupported: Bool { self == .quoted || self == .bare }

    /// Returns the header that makes a write fail when the object has another entity tag.
    func field(_ tag: String) -> HTTPHeaders.Field? {
        switch self {
        case .quoted: HTTPHeaders.Field(name: "If-Match", value: EntityTag.quoted(tag))
        case .bare: HTTPHeaders.Field(name: "If-Match", value: EntityTag.bare(tag))
        case .unsupported, .unknown: nil
        }
    }
}

/// The claims about a server without a trial, for each state that a bucket can be in.
///
/// A claim holds only where it was measured, or where the maker of the server says so: that a condition is honoured
/// says nothing about buckets that keep versions. (Encryption was never seen to matter: tags differ, and are compared
/// alike.)
struct ConditionClaims: Hashable, Sendable {
    /// The claims for buckets that keep no versions.
    var plain = ConditionalWrites()
    /// The claims for buckets that keep versions, locked ones among them.
    var versioned = ConditionalWrites()

    init() {}

    /// Creates claims for buckets in every state.
    init(everywhere writes: ConditionalWrites) {
        plain = writes
        versioned = writes
    }

    init(plain: ConditionalWrites, versioned: ConditionalWrites = ConditionalWrites()) {
        self.plain = plain
        self.versioned = versioned
    }

    /// A Boolean value that indicates whether the state of the bucket has to be known.
    var dependOnVersioning: Bool { plain != versioned }

    func writes(in versioning: BucketVersioning) -> ConditionalWrites {
        switch versioning {
        case .never: plain
        case .enabled: versioned
        case .unknown: plain.agreeing(with: versioned)
        }
    }

    /// Changes the claims for all states.
    mutating func change(_ body: (inout ConditionalWrites) -> Void) {
        body(&plain)
        body(&versioned)
    }
}

/// The knowledge so far about the conditional writes of a bucket, and its sources.
struct KnownConditions: Hashable, Sendable {
    /// The claims about the server.
    let claims: ConditionClaims
    /// The state of the bucket; `nil` before it was requested.
    private(set) var versioning: BucketVersioning?
    /// The results of a trial, in that state.
    private(set) var seen: ConditionalWrites?

    init(_ claims: ConditionClaims) {
        self.claims = claims
    }

    /// The conditional writes that count: the claims, corrected by a trial.
    var writes: ConditionalWrites {
        let claimed = claims.writes(in: versioning ?? .unknown)
        return seen.map { claimed.corrected(by: $0) } ?? claimed
    }

    /// A Boolean value that indicates whether the claims cannot be relied on before the state of the bucket is known.
    var needsVersioning: Bool { versioning == nil && claims.dependOnVersioning }
    /// A Boolean value that indicates whether the server was tried; what is unknown then stays so.
    var isTried: Bool { seen != nil }

    mutating func learn(_ versioning: BucketVersioning) {
        self.versioning = versioning
    }

    mutating func learn(_ seen: ConditionalWrites, in versioning: BucketVersioning?) {
        self.seen = seen
        self.versioning = versioning
    }

    /// Records the version id in the response to a write: when the bucket has begun to keep versions, the results of a
    /// trial count no more.
    mutating func note(versionID: String?) {
        guard let versionID, versionID != "null", versioning != .enabled else { return }
        versioning = .enabled
        seen = nil
    }
}
