import Foundation
import NIOCore

@testable import StoragesHTTP
@testable import StoragesS3

/// The requests that a stranger makes with a URL: with libcurl, without a storage and without a signature of their own.
enum RawUpload {
    struct Answer {
        var status: Int
        var headers: HTTPHeaders
        var body: String
    }

    static func send(
        _ method: HTTPRequest.Method,
        _ url: String,
        headers: [String: String] = [:],
        body: String = "",
        trusting caFile: String? = nil
    ) async throws -> Answer {
        var settings = CurlSettings()
        settings.certificateAuthorityFile = caFile
        let transport = try CurlTransport(settings, concurrency: 1)
        let fields = HTTPHeaders(
            headers.sorted { $0.key < $1.key }.map { HTTPHeaders.Field(name: $0.key, value: $0.value) }
        )
        var request = HTTPRequest(method: method, url: url, headers: fields)
        request.body = HTTPBody(body)
        request.timeout = .seconds(30)
        let answer = try await transport.collect(request, upTo: 1 << 20)
        return Answer(status: answer.status, headers: answer.headers, body: String(buffer: answer.body))
    }
}
