import NIOCore
import Storages

@testable import StoragesS3

/// An object of a server that is a script, with the answers that a real one gives.
struct ScriptedObject: Sendable {
    var bytes: ByteBuffer
    var tag: String? = "\"first\""

    init(_ count: Int, tag: String? = "\"first\"") {
        bytes = TestBytes.make(count)
        self.tag = tag
    }

    var headers: [(name: String, value: String)] {
        [("Content-Type", "application/octet-stream"), ("Accept-Ranges", "bytes")] + (tag.map { [("ETag", $0)] } ?? [])
    }

    /// The whole object, and status 200.
    var whole: FaultProxy.Answer { answer(200, 0..<bytes.readableBytes) }

    /// Returns the response to a request for the whole object, or for a range.
    func answer(to request: FaultProxy.Request) -> FaultProxy.Answer {
        guard let range = Self.range(request["Range"], bytes.readableBytes) else { return whole }
        return part(range)
    }

    /// A part, and status 206.
    func part(_ range: Range<Int>) -> FaultProxy.Answer {
        var answer = answer(206, range)
        answer.headers.append(
            ("Content-Range", "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(bytes.readableBytes)")
        )
        return answer
    }

    private func answer(_ status: Int, _ range: Range<Int>) -> FaultProxy.Answer {
        var answer = FaultProxy.Answer(status, headers: headers)
        answer.body = [.bytes(bytes.getBytes(at: range.lowerBound, length: range.count) ?? [])]
        return answer
    }

    /// `bytes=1-5`, as offsets.
    static func range(_ field: String?, _ size: Int) -> Range<Int>? {
        guard let field, field.hasPrefix("bytes=") else { return nil }
        let bounds = field.dropFirst(6).split(separator: "-", omittingEmptySubsequences: false)
        guard bounds.count == 2, let first = Int(bounds[0]) else { return nil }
        return first..<min(size, (Int(bounds[1]) ?? size - 1) + 1)
    }
}

extension FaultProxy.Answer {
    /// The answer with a body that ends so early, while its head announces all.
    func cut(after count: Int) -> FaultProxy.Answer {
        let all = body.flatMap { piece in
            if case .bytes(let bytes) = piece { bytes } else { [UInt8]() }
        }
        var answer = framed(.announced(all.count))
        answer.body = [.bytes(Array(all.prefix(count)))]
        return answer
    }

    /// An answer that says no, as S3 words it.
    static func error(_ status: Int, _ code: String) -> FaultProxy.Answer {
        FaultProxy.Answer(
            status,
            headers: [("Content-Type", "application/xml")],
            body: "<?xml version=\"1.0\"?><Error><Code>\(code)</Code><Message>As the script says.</Message></Error>"
        )
    }
}

extension FaultProxy {
    /// A storage whose server is this script.
    func storage(_ configure: (inout S3Options) -> Void = { _ in }) throws -> S3Storage {
        var options = S3Options()
        options.retries = S3Retries(
            baseDelay: .milliseconds(2),
            throttledBaseDelay: .milliseconds(2),
            maxDelay: .milliseconds(20)
        )
        configure(&options)
        return try S3Storage(
            bucketName: "bucket",
            endpointURL: endpoint,
            accessKeyID: "AKIDTESTER",
            secretAccessKey: "secret",
            region: "us-east-1",
            useSSL: false,
            options: options
        )
    }

    /// Returns the number of requests with a method.
    func count(_ method: String) -> Int { requests.count { $0.method == method } }
}
