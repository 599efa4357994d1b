import NIOCore
import Storages
import StoredFilesTesting
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Operations")
struct S3OperationTests {
    @Test("An operation is built from headers, parameters and limits in order, without those that are nil")
    func builder() {
        let operation = S3Operation("UploadPart", .put, key: "k")
            .query("partNumber", "1")
            .query("uploads")
            .query("absent", nil)
            .version(nil)
            .headers(["a": "1"])
            .header("b", "2")
            .header("c", nil)
            .header(HTTPHeaders.Field(name: "d", value: "3"))
            .header(nil)
            .headers(["e": "4", "a": "5"])
            .body(HTTPBody("bytes"))
            .timeout(nil, stall: .seconds(7))
            .budget(.seconds(9))
            .retryingConflicts()
        #expect(operation.query.map { "\($0.name)=\($0.value)" } == ["partNumber=1", "uploads="])
        #expect(operation.headers.fields.map { "\($0.name)=\($0.value)" } == ["a=1", "b=2", "d=3", "e=4", "a=5"])
        #expect(operation.body.byteCount == 5)
        #expect(!operation.signsBody)
        #expect(operation.timeout == nil)
        #expect(operation.stallTimeout == .seconds(7))
        #expect(operation.budget == .seconds(9))
        #expect(operation.retriesConflicts)
        #expect(S3Operation("HeadObject", .head, key: "k").version("v").query.map(\.value) == ["v"])
    }

    @Test("An operation with a document signs it and declares its type")
    func document() {
        let operation = S3Operation("DeleteObjects", .post).document(ByteBuffer(string: "<Delete/>"))
        #expect(operation.signsBody)
        #expect(operation.headers["Content-Type"] == "application/xml")
        #expect(operation.body.byteCount == 9)
        #expect(operation.timeout == S3Operation.TimeLimit.shortRequest)
    }

    @Test("A bucket of Amazon S3 is created in the region of the storage", arguments: ["us-east-1", "eu-central-1"])
    func createBucket(region: String) async throws {
        let transport = ScriptedTransport { request in
            .init(status: request.method == .head ? 404 : 200, body: "", headers: ["x-amz-request-id": "1"])
        }
        try await ScriptedBucket.amazon(transport, region: region).createBucketIfMissing()
        let creation = try #require(transport.requests.last)
        #expect(creation.method == .put)
        // The oldest region is the default, and the server refuses its name.
        #expect(creation.text.contains("<LocationConstraint>eu-central-1</") == (region == "eu-central-1"))
        #expect(creation.text.isEmpty == (region == "us-east-1"))
        #expect(transport.requests.count == 2)
    }
}
