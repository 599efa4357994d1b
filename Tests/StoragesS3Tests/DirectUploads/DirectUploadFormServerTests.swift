import Foundation
import NIOCore
import Storages
import StoredFilesTesting
import TestSupport
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Upload forms on real servers", .timeLimit(.minutes(5)))
struct DirectUploadFormServerTests {
    static let servers = [S3World.Server.seaweed, .seaweedOverTLS]

    private let name = StorageName(unchecked: "uploads/Größe 1+1 日本.txt")
    private let options = DirectUploadOptions(
        lifetime: .seconds(600),
        contentType: "text/plain",
        contentDisposition: "attachment; filename=\"a.txt\"",
        cacheControl: "no-store",
        metadata: ["user": "7"]
    )

    /// Sends a form as a browser does.
    private func send(
        _ fields: [(name: String, value: String)],
        _ file: String,
        to url: String,
        _ world: S3World
    ) async throws -> RawUpload.Answer {
        let boundary = "boundary-\(UUID().uuidString)"
        var body = ""
        for field in fields {
            body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"\(field.name)\"\r\n\r\n\(field.value)\r\n"
        }
        body += "--\(boundary)\r\nContent-Disposition: form-data; name=\"file\"; filename=\"mine.html\"\r\n"
        body += "Content-Type: text/html\r\n\r\n\(file)\r\n--\(boundary)--\r\n"
        return try await RawUpload.send(
            .post,
            url,
            headers: ["Content-Type": "multipart/form-data; boundary=\(boundary)"],
            body: body,
            trusting: world.server.caFile
        )
    }

    private func fields(of form: DirectUploadForm) -> [(name: String, value: String)] {
        form.fields.map { ($0.name, $0.value) }
    }

    @Test("An upload form stores a file of an allowed size with its type and metadata", arguments: servers, [3, 7, 10])
    func upload(server: S3World.Server, byteCount: Int) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let form = try await storage.directUploadForm(to: name, size: 3...10, options: options)
        let file = String(repeating: "z", count: byteCount)
        let answer = try await send(fields(of: form), file, to: form.url, world)
        #expect(answer.status == 204, "\(answer.body)")
        let info = try await storage.verifyDirectUpload(name, size: 3...10, contentTypes: [.plainText])
        #expect(info.byteCount == Int64(byteCount))
        #expect(info.contentType == .plainText)
        #expect(info.contentDisposition == "attachment; filename=\"a.txt\"")
        #expect(info.cacheControl == "no-store")
        #expect(info.metadata["user"] == "7")
        #expect(try await storage.open(name).collect(upTo: 100) == ByteBuffer(string: file))
    }

    @Test("An upload form redirects the browser after the upload", arguments: servers)
    func redirect(server: S3World.Server) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let form = try await storage.directUploadForm(
            to: name,
            size: 1...10,
            successRedirectURL: "https://example.org/done?id=7",
            options: options
        )
        let answer = try await send(fields(of: form), "12345", to: form.url, world)
        #expect(answer.status == 303, "\(answer.body)")
        let location = try #require(answer.headers["Location"])
        #expect(location.hasPrefix("https://example.org/done?"))
        #expect(location.contains("key=uploads") && location.contains("bucket=\(world.bucket)"))
        #expect(try await storage.exists(name))
    }

    @Test(
        "An upload form refuses a file of another size and stores nothing",
        arguments: servers,
        [(0, "EntityTooSmall"), (2, "EntityTooSmall"), (11, "EntityTooLarge"), (100_000, "EntityTooLarge")]
    )
    func size(server: S3World.Server, example: (Int, String)) async throws {
        let (byteCount, code) = example
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let form = try await storage.directUploadForm(to: name, size: 3...10, options: options)
        let file = String(repeating: "z", count: byteCount)
        let answer = try await send(fields(of: form), file, to: form.url, world)
        #expect(answer.status == 400)
        #expect(answer.body.contains("<Code>\(code)</Code>"), "\(answer.body)")
        try await expectNothing(storage)
    }

    /// A change that a client makes to a form.
    struct Change: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var change: @Sendable (inout [(name: String, value: String)]) throws -> Void

        init(
            _ testDescription: String,
            _ change: @escaping @Sendable (inout [(name: String, value: String)]) throws -> Void
        ) {
            self.testDescription = testDescription
            self.change = change
        }

        /// Another value for a field.
        static func set(
            _ name: String,
            _ value: @escaping @Sendable (String) throws -> String
        ) -> @Sendable (inout [(name: String, value: String)]) throws -> Void {
            { fields in
                let index = try #require(fields.firstIndex { HTTPHeaders.areEqual($0.name, name) })
                fields[index].value = try value(fields[index].value)
            }
        }

        static let all: [Change] = [
            Change("another key", set("key") { _ in "uploads/other.txt" }),
            Change("another type", set("Content-Type") { _ in "text/html" }),
            Change("other metadata", set("x-amz-meta-user") { _ in "8" }),
            Change("another signature", set("x-amz-signature") { _ in String(repeating: "0", count: 64) }),
            Change("another access key", set("x-amz-credential") { "X" + $0 }),
            Change(
                "a policy for larger files",
                set("policy") { encoded in
                    let policy = String(decoding: try #require(Data(base64Encoded: encoded)), as: UTF8.self)
                    let changed = policy.replacingOccurrences(of: ", 10]", with: ", 1000]")
                    try #require(changed != policy)
                    return Data(changed.utf8).base64EncodedString()
                }
            ),
            Change("metadata that was not signed") { $0.insert(("x-amz-meta-admin", "1"), at: 1) },
            Change("metadata left out") { $0.removeAll { $0.name == "x-amz-meta-user" } },
            Change("the policy left out") { $0.removeAll { $0.name == "policy" } },
            Change("the signature left out") { $0.removeAll { $0.name == "x-amz-signature" } },
        ]
    }

    @Test(
        "An upload form with a changed field is refused with status 403 and stores nothing",
        arguments: servers,
        Change.all
    )
    func changed(server: S3World.Server, example: Change) async throws {
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let form = try await storage.directUploadForm(to: name, size: 3...10, options: options)
        var fields = fields(of: form)
        try example.change(&fields)
        let answer = try await send(fields, "12345", to: form.url, world)
        #expect(answer.status == 403, "\(answer.body)")
        try await expectNothing(storage)
        // The form itself works.
        #expect(try await send(self.fields(of: form), "12345", to: form.url, world).status == 204)
    }

    @Test("An upload form works until it expires", arguments: servers, [(30.0, 204), (700.0, 403)])
    func expired(server: S3World.Server, example: (Double, Int)) async throws {
        let (age, status) = example
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let date = Date() - age
        let form = try await storage.directUploadForm(to: name, size: 3...10, options: options, at: date)
        let answer = try await send(fields(of: form), "12345", to: form.url, world)
        #expect(answer.status == status, "\(answer.body)")
        #expect(try await storage.exists(name) == (status == 204))
    }

    @Test(
        "An upload form from the program curl is accepted or refused by the size of the file",
        arguments: servers,
        [(5, "204"), (11, "400")]
    )
    func program(server: S3World.Server, example: (Int, String)) async throws {
        let (byteCount, status) = example
        let world = try await S3World.make(server)
        let storage = try world.storage()
        let form = try await storage.directUploadForm(to: name, size: 3...10, options: options)
        let file = NSTemporaryDirectory() + "/form-\(UUID().uuidString).txt"
        try Data(String(repeating: "c", count: byteCount).utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let trust = world.server.caFile.map { ["--cacert", $0] } ?? []
        let fields = form.fields.flatMap { ["--form-string", "\($0.name)=\($0.value)"] }
        let result = try await CurlProgram.run(
            trust + fields + ["-F", "file=@\(file)", "--output", "/dev/null", "--write-out", "%{http_code}", form.url]
        )
        #expect(result.status == 0)
        #expect(result.output == status)
        if status == "204" {
            #expect(try await storage.verifyDirectUpload(name, size: 3...10).byteCount == 5)
        } else {
            try await expectNothing(storage)
        }
    }

    /// Nothing has arrived, under no name.
    private func expectNothing(_ storage: S3Storage) async throws {
        let error = await storageError { try await storage.verifyDirectUpload(name, size: 3...10) }
        #expect(error?.code == .notFound)
        #expect(try await storage.listedKeys(prefix: "").isEmpty)
    }
}
