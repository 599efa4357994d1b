import Foundation
import NIOConcurrencyHelpers
import NIOCore
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Errors in responses with a status of success", .timeLimit(.minutes(1)))
struct FailureInsideSuccessTests {
    static let name = StorageName(unchecked: "file")
    static let parts = UploadBody.buffer(ByteBuffer(repeating: 7, count: (5 << 20) + 1))

    /// Operations whose status is sent before they are done.
    enum Operation: String, CaseIterable, Sendable, CustomTestStringConvertible {
        case complete, copy, deleteMany

        var testDescription: String { rawValue }

        func matches(_ request: FaultProxy.Request) -> Bool {
            switch self {
            case .complete: request.method == "POST" && request.query.hasPrefix("uploadId=")
            case .copy: request["x-amz-copy-source"] != nil
            case .deleteMany: request.query == "delete="
            }
        }

        func matches(_ request: HTTPRequest) -> Bool {
            switch self {
            case .complete: request.isCompletion
            case .copy: request.headers["x-amz-copy-source"] != nil
            case .deleteMany: request.method == .post && request.url.contains("delete=")
            }
        }

        var success: String {
            switch self {
            case .complete:
                "<CompleteMultipartUploadResult><ETag>\"e-2\"</ETag></CompleteMultipartUploadResult>"
            case .copy: "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>"
            case .deleteMany:
                "<DeleteResult><Deleted><Key>a</Key></Deleted><Deleted><Key>b</Key></Deleted></DeleteResult>"
            }
        }

        /// Does the operation and returns how it failed, if it did.
        func run(_ storage: S3Storage) async throws -> StorageError? {
            let options = UploadOptions(ifExists: .replace)
            do {
                switch self {
                case .complete: _ = try await storage.upload(parts, to: name, options: options)
                case .copy: _ = try await storage.copy(name, to: StorageName(unchecked: "copy"), options: options)
                case .deleteMany:
                    let failures = try await storage.delete([StorageName(unchecked: "a"), StorageName(unchecked: "b")])
                    #expect(failures.isEmpty || failures.count == 2)
                    return failures.first?.error
                }
                return nil
            } catch let error as StorageError {
                return error
            }
        }
    }

    private static func storage(
        _ proxy: FaultProxy,
        _ configure: (inout S3Options) -> Void = { _ in }
    ) throws -> S3Storage {
        try ScriptedBucket.storage(proxy) {
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
            configure(&$0)
        }
    }

    /// A server that does everything right, but for one operation, of which the answers are given.
    private static func script(_ operation: Operation, _ answers: [FaultProxy.Action]) -> FaultProxy.Script {
        let count = NIOLockedValueBox(0)
        return { request, _ in
            if operation.matches(request) {
                let index = count.withLockedValue { count in
                    defer { count += 1 }
                    return count
                }
                return answers[min(index, answers.count - 1)]
            }
            return MultipartScript.answer(request)
        }
    }

    private static func count(_ operation: Operation, _ proxy: FaultProxy) -> Int {
        proxy.requests.count { operation.matches($0) }
    }

    @Test(
        "A request is retried when its response with status 200 holds an error or nothing",
        arguments: Operation.allCases,
        [
            ScriptedBucket.error("InternalError"), ScriptedBucket.error("SlowDown"),
            ScriptedBucket.error("ServiceUnavailable"), "", "   \n", "<html>", "<CopyObjectRes",
        ]
    )
    func retried(operation: Operation, body: String) async throws {
        try await FaultProxy.with { proxy in
            let bad = ScriptedBucket.answer(200, body)
            proxy.script(Self.script(operation, [bad, bad, ScriptedBucket.answer(200, operation.success)]))
            let error = try await operation.run(Self.storage(proxy))
            #expect(error == nil, "\(String(describing: error))")
            #expect(Self.count(operation, proxy) == 3)
        }
    }

    @Test("An error that stays in responses with status 200 is reported", arguments: Operation.allCases)
    func reported(operation: Operation) async throws {
        try await FaultProxy.with { proxy in
            proxy.script(Self.script(operation, [ScriptedBucket.failure(200, "InternalError")]))
            let error = try #require(try await operation.run(Self.storage(proxy)))
            #expect(error.code == .unavailable)
            #expect(Self.count(operation, proxy) == 5)
            let details = try #require(error.underlying as? S3ErrorDetails)
            #expect(details.code == "InternalError")
            #expect(details.attempts == 5)

            proxy.script(Self.script(operation, [ScriptedBucket.failure(200, "AccessDenied")]))
            let denied = try await operation.run(Self.storage(proxy))
            #expect(denied?.code == .permissionDenied)
            #expect(Self.count(operation, proxy) == 6)
        }
    }

    @Test(
        "A response with status 200 may begin with white space and have another root element",
        arguments: Operation.allCases
    )
    func accepted(operation: Operation) async throws {
        try await FaultProxy.with { proxy in
            let answer = FaultProxy.Answer(200, body: "<?xml version=\"1.0\"?>" + operation.success)
                .afterSpaces(5, every: .milliseconds(5))
                .framed(.chunked(isTerminated: true))
            proxy.script(Self.script(operation, [.answer(answer)]))
            let error = try await operation.run(Self.storage(proxy))
            #expect(error == nil, "\(String(describing: error))")
            #expect(Self.count(operation, proxy) == 1)

            let renamed = operation.success.replacing(
                "CompleteMultipartUploadResult",
                with: "CompleteMultipartUploadResponse"
            )
            proxy.script(Self.script(operation, [ScriptedBucket.answer(200, renamed)]))
            #expect(try await operation.run(Self.storage(proxy)) == nil)
        }
    }

    @Test(
        "A response with status 200 may be silent or blank for longer than the stall timeout",
        arguments: Operation.allCases,
        [1, 3]
    )
    func patience(operation: Operation, blanks: Int) async throws {
        try await FaultProxy.with { proxy in
            let answer = FaultProxy.Answer(200, body: "<?xml version=\"1.0\"?>" + operation.success)
                .afterSpaces(blanks, every: .milliseconds(3000 / blanks))
                .framed(.chunked(isTerminated: true))
            proxy.script(Self.script(operation, [.answer(answer)]))
            let storage = try Self.storage(proxy) { $0.stallTimeout = .seconds(1) }
            let error = try await operation.run(storage)
            #expect(error == nil, "\(String(describing: error))")
            // What was given up and sent again would be two.
            #expect(Self.count(operation, proxy) == 1)
        }
    }

    @Test(
        "Operations that respond late have no total timeout, but a stall timeout of minutes",
        arguments: Operation.allCases
    )
    func limits(operation: Operation) async throws {
        let transport = ScriptedTransport { request in
            if operation.matches(request) { return .ok(operation.success) }
            switch request.method {
            case .post:
                let id = "<UploadId>upload-1</UploadId>"
                return .ok("<InitiateMultipartUploadResult>\(id)</InitiateMultipartUploadResult>")
            case .head: return .init(status: 200, body: "", headers: ["Content-Length": "1", "ETag": "\"e\""])
            case .put: return .init(status: 200, body: "", headers: ["ETag": "\"e\""])
            case .get, .delete: return .init(status: 501, body: ScriptedBucket.error("NotImplemented"))
            }
        }
        let storage = try ScriptedBucket.amazon(transport) {
            $0.stallTimeout = .seconds(1)
            $0.transfers.multipartThreshold = 5 << 20
            $0.transfers.partSize = 5 << 20
        }
        #expect(try await operation.run(storage) == nil)
        let patient = transport.requests.filter { operation.matches($0) }
        #expect(patient.count == 1)
        for request in patient {
            #expect(request.timeout == nil)
            #expect(request.stallTimeout >= .seconds(300))
        }
        // The others are answered at once, so there what the user wants counts.
        let others = transport.requests.filter { !operation.matches($0) }
        #expect(others.isEmpty == (operation == .deleteMany))
        for request in others {
            #expect(request.stallTimeout == .seconds(1))
            #expect(request.isPart || request.timeout == .seconds(30))
        }
    }
}

/// A server that takes everything and keeps nothing.
enum MultipartScript {
    static func answer(_ request: FaultProxy.Request) -> FaultProxy.Action {
        switch (request.method, request.query) {
        case ("POST", "uploads="):
            ScriptedBucket.answer(
                200,
                "<InitiateMultipartUploadResult><UploadId>upload-1</UploadId></InitiateMultipartUploadResult>"
            )
        case ("POST", _):
            ScriptedBucket.answer(
                200,
                "<CompleteMultipartUploadResult><ETag>\"e-1\"</ETag></CompleteMultipartUploadResult>"
            )
        case ("PUT", _): ScriptedBucket.answer(200, "", [("ETag", "\"e\"")])
        case ("HEAD", _):
            ScriptedBucket.answer(200, "", [("ETag", "\"e\""), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT")])
        case ("DELETE", _): ScriptedBucket.answer(204)
        // ListParts after an upload was aborted.
        case ("GET", let query) where query.contains("uploadId="): ScriptedBucket.failure(404, "NoSuchUpload")
        default: ScriptedBucket.failure(501, "NotImplemented")
        }
    }
}
