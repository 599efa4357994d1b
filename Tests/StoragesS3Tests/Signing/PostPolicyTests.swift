import Foundation
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Policies of upload forms")
struct PostPolicyTests {
    struct Case: Decodable, Sendable, CaseWithCredentials {
        var bucket: String
        var key: String
        var isPrefix: Bool
        var lifetime: Int
        var contentLength: [Int]?
        var acl: String?
        var contentType: String?
        var contentTypePrefix: String?
        var metadata: [String: String]
        var successStatus: Int?
        var fields: [[String]]
        var region: String
        var date: String
        var accessKey: String
        var secretKey: String
        var token: String?
        var form: [[String]]

        func policy() throws -> PostPolicy {
            var policy = PostPolicy(
                bucket: bucket,
                key: isPrefix ? .prefix(key) : .exact(key),
                lifetime: .seconds(lifetime)
            )
            policy.contentLength = contentLength.map { $0[0]...$0[1] }
            policy.acl = acl
            policy.contentType = contentType.map { .exact($0) } ?? contentTypePrefix.map { .prefix($0) }
            let names = metadata.map { ($0.key.replacing("x-amz-meta-", with: ""), $0.value) }
            policy.metadata = try UserMetadata().headers(Dictionary(uniqueKeysWithValues: names))
            policy.successStatus = successStatus
            policy.fields = HTTPHeaders(StoragesS3Tests.fields(fields))
            return policy
        }
    }

    @Test("Upload forms agree with botocore on 30 random policies, to the byte")
    func recorded() throws {
        let cases = try RecordedCases.load("forms.json", as: [Case].self)
        #expect(cases.count == 30)
        for (index, example) in cases.enumerated() {
            let made = try SigV4Signer(region: example.region)
                .form(for: example.policy(), with: example.credentials, at: date(example.date))
            #expect(made.fields.map { [$0.name, $0.value] } == example.form, "case \(index)")
            #expect(try made.expiration == date(example.date).addingTimeInterval(Double(example.lifetime)))
        }
    }

    private let signer = SigV4Signer(region: "us-east-1")
    private let credentials = S3Credentials(accessKeyID: "AKIAEXAMPLE", secretAccessKey: "secret")
    private let now = Date(timeIntervalSince1970: 1_400_000_000)

    private func policy(_ key: PostPolicy.Key = .exact("k"), for lifetime: Duration = .seconds(60)) -> PostPolicy {
        PostPolicy(bucket: "b", key: key, lifetime: lifetime)
    }

    @Test("The policy of an upload form has a condition for each field")
    func coverage() throws {
        var policy = policy(.prefix("up/"))
        policy.acl = "private"
        policy.contentType = .exact("image/png")
        policy.metadata = ["x-amz-meta-a": "1"]
        policy.successStatus = 201
        policy.fields = ["Cache-Control": "no-store"]
        var credentials = credentials
        credentials.sessionToken = "token"
        let form = try signer.form(for: policy, with: credentials, at: now)
        let encoded = try #require(form.fields.first { $0.name == "policy" }?.value)
        let data = try #require(Data(base64Encoded: encoded))
        let json = try #require(try JSONSerialization.jsonObject(with: data) as? [String: Any])
        let conditions = try #require(json["conditions"] as? [Any])
        var names: Set<String> = []
        for condition in conditions {
            if let equal = condition as? [String: String] { names.formUnion(equal.keys) }
            if let array = condition as? [Any], let name = array[1] as? String {
                names.insert(String(name.dropFirst()))
            }
        }
        #expect(names == Set(form.fields.map(\.name)).subtracting(["policy", "x-amz-signature"]).union(["bucket"]))
        #expect(form.fields.map(\.name).suffix(2) == ["policy", "x-amz-signature"])
        #expect(form.fields[0] == ("key", "up/${filename}"))
        #expect(json["expiration"] as? String == "2014-05-13T16:54:20Z")
    }

    private func refusal(_ policy: PostPolicy, sourceLocation: SourceLocation = #_sourceLocation) -> StorageError.Code?
    {
        #expect(throws: StorageError.self, sourceLocation: sourceLocation) {
            try signer.form(for: policy, with: credentials, at: now)
        }?.code
    }

    @Test("An upload form is refused when it cannot work")
    func refusals() {
        #expect(refusal(policy(.exact("a/${filename}"))) == .invalidConfiguration)
        #expect(refusal(policy(.prefix("${filename}/"))) == .invalidConfiguration)
        #expect(refusal(policy(for: .zero)) == .invalidURL)
        #expect(refusal(policy(for: .seconds(604_801))) == .invalidURL)
        var other = policy()
        other.successStatus = 303
        #expect(refusal(other) == .invalidConfiguration)
        other = policy()
        other.contentLength = -1...5
        #expect(refusal(other) == .invalidConfiguration)
        for name in ["KEY", "policy", "x-amz-signature", "bucket", "file", "not a token"] {
            other = policy()
            other.fields = [name: "v"]
            #expect(refusal(other) == .invalidConfiguration)
        }
        other = policy()
        other.acl = "private\r\n"
        #expect(refusal(other) == .invalidConfiguration)
    }

    @Test("An upload form expires with temporary credentials and does not show its values")
    func expiration() throws {
        var credentials = credentials
        credentials.expiration = now.addingTimeInterval(5)
        let form = try signer.form(for: policy(), with: credentials, at: now)
        #expect(form.expiration == credentials.expiration)
        #expect(form.isCutShort)
        let secret = try #require(form.fields.last?.value)
        var dumped = ""
        dump(form, to: &dumped)
        for text in ["\(form)", String(reflecting: form), dumped] {
            #expect(text.contains("x-amz-signature"))
            #expect(!text.contains(secret))
        }
    }
}
