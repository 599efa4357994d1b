import NIOConcurrencyHelpers

@testable import StoragesHTTP
@testable import StoragesS3

/// Passes requests on, and remembers in which order those of uploads in parts began and ended on this side of the wire.
final class RecordingTransport: HTTPTransport {
    enum Event: Sendable, Equatable {
        case partBegins
        /// Its answer has come, or it was given up.
        case partEnds
        case abortBegins
    }

    private let inner: any HTTPTransport
    private let kept = NIOLockedValueBox<[Event]>([])

    init(_ inner: any HTTPTransport) {
        self.inner = inner
    }

    var events: [Event] { kept.withLockedValue { $0 } }

    /// The number of parts that were on their way before each abort.
    var partsAtAborts: [Int] {
        var running = 0
        return events.reduce(into: []) { counts, event in
            switch event {
            case .partBegins: running += 1
            case .partEnds: running -= 1
            case .abortBegins: counts.append(running)
            }
        }
    }

    /// The number of parts that were begun after an abort.
    var partsAfterAbort: Int {
        events.drop { $0 != .abortBegins }.count { $0 == .partBegins }
    }

    /// The most parts that were on their way at the same time.
    var mostParts: Int {
        var running = 0
        return events.reduce(into: 0) { most, event in
            if event == .partBegins { running += 1 }
            if event == .partEnds { running -= 1 }
            most = max(most, running)
        }
    }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        if request.isAbort { record(.abortBegins) }
        guard request.isPart else { return try await inner.send(request) }
        record(.partBegins)
        defer { record(.partEnds) }
        return try await inner.send(request)
    }

    private func record(_ event: Event) {
        kept.withLockedValue { $0.append(event) }
    }
}

extension HTTPRequest {
    /// A Boolean value that indicates whether the request uploads a part.
    var isPart: Bool { method == .put && url.contains("partNumber=") }

    /// A Boolean value that indicates whether the request aborts a multipart upload.
    var isAbort: Bool { method == .delete && url.contains("uploadId=") }

    /// A Boolean value that indicates whether the request completes a multipart upload.
    var isCompletion: Bool { method == .post && url.contains("uploadId=") }
}

extension FaultProxy.Request {
    /// A Boolean value that indicates whether the request completes a multipart upload.
    var isCompletion: Bool { method == "POST" && query.hasPrefix("uploadId=") }

    /// A Boolean value that indicates whether the request aborts a multipart upload.
    var isAbort: Bool { method == "DELETE" && query.contains("uploadId=") }
}
