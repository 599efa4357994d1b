import Foundation
import NIOConcurrencyHelpers
import NIOCore

@testable import StoragesHTTP
@testable import StoragesS3

/// Answers requests by a closure, and keeps them.
final class ScriptedTransport: HTTPTransport {
    struct Answer: Sendable {
        var status: Int
        var body: String
        var headers: HTTPHeaders = [:]

        static func ok(_ body: String) -> Answer { Answer(status: 200, body: body) }
    }

    private let kept = NIOLockedValueBox<[HTTPRequest]>([])
    private let answer: @Sendable (HTTPRequest) async throws -> Answer

    init(_ answer: @escaping @Sendable (HTTPRequest) async throws -> Answer) {
        self.answer = answer
    }

    /// A transport that nobody may use: no request is expected.
    static var unreachable: ScriptedTransport {
        ScriptedTransport { _ in throw HTTPFailure(.notConnected, "Nobody is there.") }
    }

    var requests: [HTTPRequest] { kept.withLockedValue { $0 } }

    func send(_ request: HTTPRequest) async throws -> HTTPResponse {
        kept.withLockedValue { $0.append(request) }
        let answer = try await answer(request)
        let body = HTTPResponseBody(ByteBuffer(string: answer.body))
        return HTTPResponse(status: answer.status, headers: answer.headers, body: body)
    }
}

extension HTTPRequest {
    /// The body as text.
    var text: String { body.chunks.map { String(buffer: $0) }.joined() }

    /// The fields of a form in the body.
    var form: [String: String] {
        var fields: [String: String] = [:]
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            fields[String(parts[0])] = String(parts[1]).removingPercentEncoding ?? "?"
        }
        return fields
    }
}
