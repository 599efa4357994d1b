import Foundation
import Storages
import TestSupport
import Testing

@testable import StoragesS3

@Suite("Direct uploads by form")
struct DirectUploadFormTests {
    private let name = StorageName(unchecked: "uploads/Größe.png")
    private let now = Date(timeIntervalSince1970: 1_400_000_000)

    private func storage(_ configure: (inout S3Options) -> Void = { _ in }) throws -> S3Storage {
        var options = S3Options()
        configure(&options)
        return try S3Storage(
            bucketName: "media",
            accessKeyID: "AKIAEXAMPLE",
            secretAccessKey: "secret",
            region: "eu-central-1",
            options: options
        )
    }

    private struct Policy: Decodable {
        enum Condition: Decodable, Equatable {
            case equals([String: String])
            case range([Part])

            enum Part: Decodable, Equatable {
                case text(String)
                case number(Int)

                init(from decoder: any Decoder) throws {
                    let container = try decoder.singleValueContainer()
                    if let number = try? container.decode(Int.self) {
                        self = .number(number)
                    } else {
                        self = .text(try container.decode(String.self))
                    }
                }
            }

            init(from decoder: any Decoder) throws {
                let container = try decoder.singleValueContainer()
                if let pair = try? container.decode([String: String].self) {
                    self = .equals(pair)
                } else {
                    self = .range(try container.decode([Part].self))
                }
            }
        }

        var expiration: String
        var conditions: [Condition]
    }

    private func policy(of form: DirectUploadForm) throws -> Policy {
        let encoded = try #require(form["policy"])
        let data = try #require(Data(base64Encoded: encoded))
        return try JSONDecoder().decode(Policy.self, from: data)
    }

    @Test("An upload form holds the client to the key, the type, the size and every other field")
    func conditions() async throws {
        let storage = try storage {
            $0.objectParameters.acl = .private
            $0.objectParameters.cacheControl = "no-store"
        }
        let form = try await storage.directUploadForm(
            to: name,
            size: 10...2000,
            successRedirectURL: "https://example.org/done",
            options: DirectUploadOptions(lifetime: .seconds(60), metadata: ["user": "7"]),
            at: now
        )
        #expect(form.url == "https://media.s3.eu-central-1.amazonaws.com/")
        #expect(
            form.fields.map(\.name) == [
                "key", "acl", "Content-Type", "x-amz-meta-user", "Cache-Control", "success_action_redirect",
                "x-amz-algorithm", "x-amz-credential", "x-amz-date", "policy", "x-amz-signature",
            ]
        )
        #expect(form["key"] == "uploads/Größe.png")
        #expect(form["content-type"] == "image/png")
        let policy = try policy(of: form)
        #expect(policy.expiration == "2014-05-13T16:54:20Z")
        #expect(form.expiration == now + 60)
        #expect(policy.conditions.contains(.range([.text("content-length-range"), .number(10), .number(2000)])))
        #expect(policy.conditions.contains(.equals(["bucket": "media"])))
        for field in form.fields where field.name != "policy" && field.name != "x-amz-signature" {
            #expect(policy.conditions.contains(.equals([field.name: field.value])), "\(field.name)")
        }
    }

    @Test("An upload form is signed as the documentation of S3 describes")
    func signature() async throws {
        let form = try await storage().directUploadForm(to: name, size: 0...1, options: DirectUploadOptions(), at: now)
        // Worked out here once more: the chain of keys, and the policy as it is sent.
        var key = Array("AWS4secret".utf8)
        for part in ["20140513", "eu-central-1", "s3", "aws4_request"] {
            key = try HMACSHA256.authenticate(part, key: key)
        }
        let policy = try #require(form["policy"])
        #expect(try form["x-amz-signature"] == HMACSHA256.authenticate(policy, key: key).hexadecimal)
        #expect(form["x-amz-credential"] == "AKIAEXAMPLE/20140513/eu-central-1/s3/aws4_request")
        #expect(form["x-amz-date"] == "20140513T165320Z")
    }

    @Test("The program curl sends an upload form to the bucket")
    func program() async throws {
        try await FaultProxy.with { proxy in
            proxy.script([.answer(.init(204))])
            let storage = try S3Storage(
                bucketName: "media",
                endpointURL: "http://\(proxy.endpoint)",
                accessKeyID: "AKIAEXAMPLE",
                secretAccessKey: "secret"
            )
            let form = try await storage.directUploadForm(to: name, size: 1...10)
            let fields = form.fields.flatMap { ["--form-string", "\($0.name)=\($0.value)"] }
            let result = try await CurlProgram.run(
                fields + ["--form", "file=12345;filename=a.png", "--write-out", "%{http_code}", form.url]
            )
            #expect(result.status == 0 && result.output == "204")
            let request = try #require(proxy.requests.first)
            #expect(request.method == "POST" && request.path == "/media" && request.query.isEmpty)
            #expect(request["Content-Type"]?.hasPrefix("multipart/form-data") == true)
        }
    }

    @Test(
        "An upload form is refused for options that a form cannot express",
        arguments: ["absence", "tags", "grants", "requester", "owner", "negative size"]
    )
    func unsupported(what: String) async throws {
        let storage = try storage {
            switch what {
            case "tags": $0.objectParameters.tags = ["a": "b"]
            case "grants": $0.objectParameters.grants = S3Grants(read: "id=\"1\"")
            case "requester": $0.objectParameters.requesterPays = true
            case "owner": $0.objectParameters.expectedBucketOwner = "111122223333"
            default: break
            }
        }
        let options = DirectUploadOptions(requiresAbsence: what == "absence")
        let size: ClosedRange<Int64> = what == "negative size" ? -1...1 : 0...1
        let error = await storageError { try await storage.directUploadForm(to: name, size: size, options: options) }
        #expect(error?.code == (what == "negative size" ? .invalidConfiguration : .unsupported))
        #expect(error?.name == name.string)
    }
}
