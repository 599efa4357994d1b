import NIOConcurrencyHelpers
import NIOCore
import Storages
import StoragesHTTP

/// Finds out by trial which conditional writes a server supports, with objects of its own in the bucket.
///
/// Every operation is tried for itself: once in order, and then by several at the same time, because there are servers
/// that look before they take the bytes, and not again.
struct ConditionTrial {
    /// The outcome of a conditional write.
    private enum Outcome {
        case done
        /// The condition does not hold.
        case refused
        /// The server reports that it does not know the condition.
        case unknownField
    }

    /// A write that is prepared and has only to be sent, on the condition that a header states.
    private typealias Write = @Sendable (HTTPHeaders.Field?) async throws -> WrittenObject
    private typealias Preparation = @Sendable (StorageName) async throws -> Write

    /// The objects and multipart uploads that the trial has made, and that have to be removed again.
    struct Traces: Sendable {
        var objects: [(name: StorageName, version: String?)] = []
        var uploads: [S3Storage.Multipart] = []
    }

    let storage: S3Storage
    /// The conditional writes that the server is said to support: what it is said not to support is not tried, and
    /// where a header of the server's own is named, that one is used.
    let claimed: ConditionalWrites
    let versioning: BucketVersioning
    /// The prefix of all names of the trial.
    let prefix: String
    let traces = NIOLockedValueBox(Traces())
    /// The headers of the first response.
    private let firstResponseHeaders = NIOLockedValueBox<HTTPHeaders?>(nil)

    /// An entity tag that no object has.
    private static let wrongTag = "\"00000000000000000000000000000000\""

    init(_ storage: S3Storage, claimed: ConditionalWrites, in versioning: BucketVersioning, prefix: String) {
        self.storage = storage
        self.claimed = claimed
        self.versioning = versioning
        self.prefix = prefix
    }

    /// Runs the trial and returns what was seen; what could not be tried stays unknown.
    ///
    /// - Throws: When nothing can be written; then nothing is known.
    func run() async throws -> ConditionalWrites {
        var seen = ConditionalWrites()
        seen.put.absence = try await absence(claimed.put.absence, racers: 8) { try put($0) }
        seen.put.tag = try await unlessForbidden(.unknown) {
            try await tag(claimed.put.tag, racers: 8) { try put($0) }
        }
        seen.complete.absence = try await unlessForbidden(.unknown) {
            try await absence(claimed.complete.absence, racers: 4) { try await putMultipart($0) }
        }
        seen.complete.tag = try await unlessForbidden(.unknown) {
            try await tag(claimed.complete.tag, racers: 4) { try await putMultipart($0) }
        }
        seen.copy = try await unlessForbidden(.unknown) { try await copies() }
        seen.delete = try await unlessForbidden(.unknown) { try await deletes() }
        let known = firstResponseHeaders.withLockedValue { $0 }.flatMap(EndpointProfile.unsupportedConditions)
        return known.map { seen.denied(by: $0) } ?? seen
    }

    /// A Boolean value that indicates whether the bucket keeps versions, as far as the written objects show.
    var seesVersions: Bool {
        traces.withLockedValue { $0.objects.contains { $0.version != nil && $0.version != "null" } }
    }

    // MARK: Conditions

    private func absence(
        _ claimed: ConditionalWrites.Absence,
        racers: Int,
        _ prepare: @escaping Preparation
    ) async throws -> ConditionalWrites.Absence {
        guard claimed != .unsupported else { return .unsupported }
        let condition = claimed == .unknown ? .ifNoneMatch : claimed
        let name = makeName()
        // There are servers that always refuse it, and servers that never do.
        guard try await outcome(of: prepare(name), condition.field) == .done,
            try await outcome(of: prepare(name), condition.field) == .refused
        else { return .unsupported }
        let winners = try await winners(of: racers, at: makeName(), condition.field, prepare)
        return winners <= 1 ? condition : .unsupported
    }

    private func tag(
        _ claimed: ConditionalWrites.Tag,
        racers: Int,
        _ prepare: @escaping Preparation
    ) async throws -> ConditionalWrites.Tag {
        guard claimed != .unsupported else { return .unsupported }
        let name = makeName()
        guard let first = try await put(name)(nil).entityTag else { return .unsupported }
        for form in [ConditionalWrites.Tag.quoted, .bare] {
            guard try await outcome(of: prepare(name), form.field(Self.wrongTag)) == .refused else {
                return .unsupported
            }
            switch try await outcome(of: prepare(name), form.field(first)) {
            case .refused: continue
            case .unknownField: return .unsupported
            case .done:
                guard let second = try await storage.head(name).info.entityTag, second != first else { return .unknown }
                let winners = try await winners(of: racers, at: name, form.field(second), prepare)
                return winners <= 1 ? form : .unsupported
            }
        }
        return .unsupported
    }

    private func copies() async throws -> ConditionalWrites.Absence {
        guard claimed.copy != .unsupported else { return .unsupported }
        let source = makeName()
        _ = try await put(source)(nil)
        return try await absence(claimed.copy, racers: 4) { try copy(source, to: $0) }
    }

    private func deletes() async throws -> ConditionalWrites.Tag {
        guard claimed.delete != .unsupported else { return .unsupported }
        let name = makeName()
        guard let tag = try await put(name)(nil).entityTag else { return .unsupported }
        for form in [ConditionalWrites.Tag.quoted, .bare] {
            guard try await outcome(of: delete(name), form.field(Self.wrongTag)) == .refused else {
                return .unsupported
            }
            switch try await outcome(of: delete(name), form.field(tag)) {
            case .done: return form
            case .refused: continue
            case .unknownField: return .unsupported
            }
        }
        return .unsupported
    }

    // MARK: Outcomes

    private func outcome(of write: Write, _ field: HTTPHeaders.Field?) async throws -> Outcome {
        do {
            _ = try await write(field)
            return .done
        } catch let failure as S3Failure
            where failure.isConditionConflict || failure.code == .conditionalRequestConflict
        {
            return .refused
        } catch let failure as S3Failure where failure.isUnknownHeader {
            return .unknownField
        } catch let error as StorageError where error.code == .alreadyExists || error.code == .preconditionFailed {
            return .refused
        }
    }

    /// Returns how many of several writers at the same time are told that they have written.
    private func winners(
        of count: Int,
        at name: StorageName,
        _ field: HTTPHeaders.Field?,
        _ prepare: @escaping Preparation
    ) async throws -> Int {
        var writes: [Write] = []
        for _ in 0..<count { writes.append(try await prepare(name)) }
        return try await withThrowingTaskGroup(of: Outcome.self) { group in
            for write in writes { group.addTask { try await outcome(of: write, field) } }
            var winners = 0
            for try await outcome in group where outcome == .done { winners += 1 }
            return winners
        }
    }

    /// Tries something that the credentials may not permit; returns the given value when the server refuses, so that
    /// earlier results still count.
    private func unlessForbidden<Value>(_ otherwise: Value, _ attempt: () async throws -> Value) async throws -> Value {
        do {
            return try await attempt()
        } catch let failure as S3Failure where [400, 401, 403, 404, 405, 501].contains(failure.status) {
            return otherwise
        }
    }

    // MARK: Writes

    private func makeName() -> StorageName {
        StorageName(unchecked: prefix + "-" + StorageName.timeOrderedID())
    }

    /// Makes a body that differs from every other, so that the entity tags differ, too.
    private func makeBody() -> HTTPBody {
        HTTPBody("Whether this server honours conditions. To be deleted. \(StorageName.timeOrderedID())")
    }

    /// The headers of objects of this storage, without those that would keep an object from being deleted.
    private func headers(_ name: StorageName) throws -> HTTPHeaders {
        var parameters = storage.parameters(for: name).withoutLock
        parameters.contentEncoding = nil
        parameters.contentType = "text/plain"
        return try parameters.creationHeaders(isSecure: storage.client.isSecure, storage.options.metadataEncoding)
    }

    private func note(_ name: StorageName, _ headers: HTTPHeaders) {
        firstResponseHeaders.withLockedValue { $0 = $0 ?? headers }
        note(name, version: headers["x-amz-version-id"])
    }

    private func note(_ name: StorageName, version: String?) {
        traces.withLockedValue { $0.objects.append((name, version)) }
    }

    private func put(_ name: StorageName) throws -> Write {
        let body = makeBody()
        let operation = S3Operation("PutObject", .put, key: name.string)
            .headers(try headers(name))
            // A locked bucket wants it.
            .headers(versioning == .never ? [:] : try IntegrityPolicy.contentMD5(of: body))
            .body(body)
            .retryingConflicts()
        return { field in
            // Also an object whose response is lost.
            note(name, version: nil)
            return try await storage.client.perform(operation.header(field)) { response in
                note(name, response.headers)
                return try response.written()
            }
        }
    }

    private func copy(_ source: StorageName, to name: StorageName) throws -> Write {
        let parameters = storage.parameters(for: name).withoutLock
        let sourceKey = storage.parameters(for: source).encryption?.customerKey
        let operation = S3Operation("CopyObject", .put, key: name.string)
            .headers(try parameters.copyHeaders(isSecure: storage.client.isSecure, sourceKey: sourceKey))
            .header("x-amz-copy-source", storage.client.addressing.copySource(forKey: source.string))
            .header("x-amz-metadata-directive", "REPLACE")
        return { field in
            note(name, version: nil)
            return try await storage.client.perform(operation.header(field)) { response in
                note(name, response.headers)
                return try WrittenObject(copied: response)
            }
        }
    }

    private func delete(_ name: StorageName) -> Write {
        { field in
            try await storage.client.perform(storage.deletion(of: name).header(field)) { response in
                // In a bucket that keeps versions this makes a marker.
                note(name, response.headers)
                try response.requireDone()
                return WrittenObject(response.headers)
            }
        }
    }

    private func putMultipart(_ name: StorageName) async throws -> Write {
        let upload = try await storage.begin(name, headers(name))
        traces.withLockedValue { $0.uploads.append(upload) }
        let part = try await storage.uploadPart(1, of: upload, makeBody())
        return { field in
            // It is completed or aborted.
            let written = try await storage.completeOrAbort(upload, on: field.map { WriteCondition(field: $0) }) {
                note(name, version: nil)
                return [part]
            }
            note(name, version: written.versionID)
            traces.withLockedValue { traces in traces.uploads.removeAll { $0.uploadID == upload.uploadID } }
            return written
        }
    }
}

extension ConditionalWrites {
    /// These conditional writes, without those that another table lists as unsupported.
    fileprivate func denied(by other: ConditionalWrites) -> ConditionalWrites {
        combined(with: other, { $1 == .unsupported ? $1 : $0 }, { $1 == .unsupported ? $1 : $0 })
    }
}

extension S3ObjectParameters {
    /// These parameters, without those that would keep an object from being deleted.
    fileprivate var withoutLock: S3ObjectParameters {
        var parameters = self
        parameters.objectLock = nil
        parameters.hasLegalHold = nil
        return parameters
    }
}

extension S3Failure {
    /// A Boolean value that indicates whether the server reports that it does not know the condition.
    fileprivate var isUnknownHeader: Bool {
        switch status {
        case 405, 501: true
        // Other codes are about the region, the keys or the clock, and say nothing about conditions.
        case 400: [.invalidArgument, .invalidRequest, .notImplemented, .unsupportedArgument, nil].contains(code)
        default: false
        }
    }
}
