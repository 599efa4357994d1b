import Storages
import StoragesS3
import Testing

struct LocationTests {
    private static func storage(_ bucket: String, _ url: String, region: String = "eu-west-1") throws -> S3Storage {
        try S3Storage(
            bucketName: bucket,
            endpointURL: url,
            accessKeyID: "key",
            secretAccessKey: "secret-of-nobody",
            region: region
        )
    }

    @Test(
        "A bucket is one place by every address of its server, and another one on every other server",
        arguments: [
            ("http://localhost:9000", "http://LOCALHOST:9000/", true),
            ("https://s3.example.org", "https://s3.example.org:443", true),
            ("https://s3.example.org", "https://s3.example.org:444", false),
            ("http://localhost:9000", "http://localhost:9001", false),
            ("http://s3.example.org:9000", "https://s3.example.org:9000", false),
            ("https://s3.example.org", "https://s3.example.net", false),
            ("https://s3.eu-west-1.amazonaws.com", "https://media.s3.eu-west-1.amazonaws.com", true),
            ("https://s3.eu-west-1.amazonaws.com", "https://s3.us-east-1.amazonaws.com", true),
        ]
    )
    func servers(_ first: String, _ second: String, isOne: Bool) throws {
        let storages = try [first, second].map { try Self.storage("media", $0) }
        #expect((StorageLocation(of: storages[0]) == StorageLocation(of: storages[1])) == isOne)
        #expect(try StorageLocation(of: Self.storage("other", first)) != StorageLocation(of: storages[0]))
    }

    @Test("A storage with further parameters has the files of the one it was made of")
    func applying() throws {
        let storage = try Self.storage("media", "http://localhost:9000")
        var parameters = S3ObjectParameters()
        parameters.contentEncoding = "gzip"
        let applied = try storage.applying(parameters)
        #expect(StorageLocation(of: applied) == StorageLocation(of: storage))
        #expect(try StorageFile(name: "a", in: applied) == StorageFile(name: "a", in: storage))
    }

    @Test("The label of an S3 storage names the bucket and the host, and no credentials")
    func label() throws {
        let storage = try Self.storage("media", "http://localhost:9000")
        #expect(storage.label == "S3Storage(media at localhost:9000)")
    }
}
