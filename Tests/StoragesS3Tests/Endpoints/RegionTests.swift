import NIOCore
import Storages
import Testing

@testable import StoragesHTTP
@testable import StoragesS3

@Suite("Regions")
struct RegionTests {
    @Test(
        "A host label is a valid region",
        arguments: ["us-east-1", "auto", "default", "a", "EU", "1a", String(repeating: "a", count: 63)]
    )
    func names(name: String) throws {
        #expect(try Region(name, from: "a test").name == name.lowercased())
    }

    @Test(
        "A name that is not a host label is refused as a region",
        arguments: [
            "", "123", "-a", "a-", "a.b", "a/b", "a b", "a_b", "evil.com/", "é", "a\r\n", "a@b",
            String(repeating: "a", count: 64),
        ]
    )
    func refusals(name: String) {
        let error = #expect(throws: StorageError.self) { try Region(name, from: "AWS_REGION") }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("AWS_REGION") == true)
    }

    @Test("The region comes from option, environment, profile, endpoint or service, in this order")
    func order() throws {
        func resolve(
            option: String? = nil,
            environment: [String: String] = [:],
            profile: String? = nil,
            endpoint: String? = nil,
            service: S3Server.Kind = .aws
        ) throws -> String {
            try Region.resolve(
                option: option,
                environment: environment,
                profile: profile,
                endpoint: try endpoint.map { try EndpointAddress($0, option: "endpointURL") },
                service: .known(service)
            ).name
        }
        let both = ["AWS_REGION": "r-1", "AWS_DEFAULT_REGION": "d-1"]
        let host = "s3.eu-west-2.amazonaws.com"
        #expect(try resolve(option: "o-1", environment: both, profile: "p-1", endpoint: host) == "o-1")
        #expect(try resolve(environment: both, profile: "p-1", endpoint: host) == "r-1")
        #expect(try resolve(environment: ["AWS_REGION": "", "AWS_DEFAULT_REGION": "d-1"], profile: "p-1") == "d-1")
        #expect(
            try resolve(environment: ["AWS_REGION": "", "AWS_DEFAULT_REGION": ""], profile: "p-1", endpoint: host)
                == "p-1"
        )
        #expect(try resolve(profile: "", endpoint: host) == "eu-west-2")
        #expect(try resolve() == "us-east-1")
        #expect(try resolve(endpoint: "localhost", service: .generic) == "us-east-1")
        #expect(try resolve(endpoint: "files.example.org", service: .cloudflareR2) == "auto")
        #expect(throws: StorageError.self) { try resolve(option: "") }
        #expect(throws: StorageError.self) { try resolve(environment: ["AWS_REGION": "evil.com/"]) }
    }

    @Test(
        "The region is found in the hosts of many services",
        arguments: [
            ("s3.eu-west-1.amazonaws.com", "eu-west-1"), ("s3-eu-west-1.amazonaws.com", "eu-west-1"),
            ("s3.amazonaws.com", "us-east-1"),
            ("media.s3.eu-west-1.amazonaws.com", "eu-west-1"), ("s3.dualstack.eu-west-1.amazonaws.com", "eu-west-1"),
            ("s3-fips.us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("s3-fips-us-gov-west-1.amazonaws.com", "us-gov-west-1"),
            ("s3.cn-north-1.amazonaws.com.cn", "cn-north-1"), ("s3-external-1.amazonaws.com", "us-east-1"),
            ("bucket.vpce-1a-2b.s3.eu-west-1.vpce.amazonaws.com", "eu-west-1"), ("s3-accelerate.amazonaws.com", nil),
            ("fra1.digitaloceanspaces.com", "fra1"), ("media.fra1.digitaloceanspaces.com", "fra1"),
            ("s3.eu-central-1.wasabisys.com", "eu-central-1"), ("s3.wasabisys.com", nil),
            ("s3.us-west-004.backblazeb2.com", "us-west-004"), ("0123abcd.r2.cloudflarestorage.com", "auto"),
            ("0123abcd.eu.r2.cloudflarestorage.com", "auto"), ("t3.storage.dev", "auto"),
            ("fly.storage.tigris.dev", "auto"), ("media.fly.storage.tigris.dev", "auto"),
            ("media.cos.ap-guangzhou.myqcloud.com", "ap-guangzhou"), ("digitaloceanspaces.com", nil),
            ("storage.googleapis.com", nil),
            ("s3.fr-par.scw.cloud", "fr-par"), ("localhost", nil), ("s3.eu-west-1.amazonaws.com.evil.org", nil),
            ("s3.a.b.amazonaws.com", nil), ("evilr2.cloudflarestorage.com", nil), ("ec2.eu-west-1.amazonaws.com", nil),
        ] as [(String, String?)]
    )
    func hosts(host: String, region: String?) {
        #expect(EndpointPattern.region(inHost: host)?.name == region)
    }

    // MARK: Redirects

    private static func judge(
        _ status: Int,
        _ headers: HTTPHeaders = [:],
        _ body: String = "",
        endpoint: String? = nil
    ) throws -> RegionRedirect {
        try RegionRedirect(
            status: status,
            headers: headers,
            error: S3ErrorDocument(ByteBuffer(string: body)),
            addressing: try AddressingTests.make(region: "us-east-1", endpoint: endpoint)
        )
    }

    private static func error(_ code: String, _ more: String = "") -> String {
        "<Error><Code>\(code)</Code>\(more)</Error>"
    }

    @Test("The region is found in every form of redirect that S3 sends")
    func redirects() throws {
        let target = RegionRedirect.move(try Region("eu-west-1", from: "a test"))
        let named = "<Region>eu-west-1</Region>"
        #expect(try Self.judge(301, ["x-amz-bucket-region": "eu-west-1"], Self.error("PermanentRedirect")) == target)
        #expect(try Self.judge(301, ["x-amz-bucket-region": "eu-west-1"]) == target)
        #expect(try Self.judge(400, [:], Self.error("AuthorizationHeaderMalformed", named)) == target)
        #expect(try Self.judge(400, ["x-amz-bucket-region": "eu-west-1"]) == target)
        #expect(
            try Self.judge(400, ["x-amz-bucket-region": "eu-west-1"], Self.error("IllegalLocationConstraintException"))
                == target
        )
        let endpoint = "<Endpoint>media.s3-eu-west-1.amazonaws.com</Endpoint>"
        #expect(try Self.judge(301, [:], Self.error("PermanentRedirect", endpoint)) == target)
        let location: HTTPHeaders = ["Location": "https://media.s3.eu-west-1.amazonaws.com/k?x=1"]
        #expect(try Self.judge(307, location, Self.error("TemporaryRedirect")) == target)
        // The header wins over the body.
        #expect(
            try Self.judge(
                301,
                ["x-amz-bucket-region": "eu-west-1"],
                Self.error("PermanentRedirect", "<Region>r-2</Region>")
            ) == target
        )
        // A server of one's own may know the region better.
        #expect(
            try Self.judge(400, [:], Self.error("AuthorizationHeaderMalformed", named), endpoint: "minio") == target
        )
    }

    @Test("The bucket is asked for its region when the response does not name it")
    func ask() throws {
        #expect(try Self.judge(301) == .askBucket)
        #expect(try Self.judge(400) == .askBucket)
        #expect(try Self.judge(400, [:], Self.error("IllegalLocationConstraintException")) == .askBucket)
        #expect(try Self.judge(307, ["Location": "https://media.s3.amazonaws.com/k"]) == .askBucket)
    }

    @Test("A response that says nothing new about the region is not treated as a redirect")
    func others() throws {
        let named: HTTPHeaders = ["x-amz-bucket-region": "eu-west-1"]
        for status in [200, 304, 403, 404, 500, 503] { #expect(try Self.judge(status, named) == .none) }
        #expect(try Self.judge(400, named, Self.error("InvalidArgument")) == .none)
        #expect(try Self.judge(400, ["x-amz-bucket-region": "us-east-1"]) == .none)
        #expect(try Self.judge(301, ["x-amz-bucket-region": "us-east-1"]) == .none)
        #expect(try Self.judge(400, endpoint: "minio") == .none)
    }

    @Test(
        "A malformed region in a redirect is refused",
        arguments: ["evil.com/", "a.b", "x@y", "a\r\nb", "169.254.169.254", "123", ""]
    )
    func hostile(name: String) {
        let error = #expect(throws: StorageError.self) { try Self.judge(301, ["x-amz-bucket-region": name]) }
        #expect(error?.code == .invalidConfiguration)
        if !name.isEmpty {
            #expect(throws: StorageError.self) {
                try Self.judge(400, [:], Self.error("AuthorizationHeaderMalformed", "<Region>\(name)</Region>"))
            }
        }
    }

    @Test(
        "A region redirect to another host is never followed",
        arguments: [
            "http://169.254.169.254/latest/meta-data/", "https://evil.org/",
            "https://s3.eu-west-1.amazonaws.com.evil.org/",
            "https://s3.eu-west-1.amazonaws.com@evil.org/", "https://s3.cn-north-1.amazonaws.com.cn/", "/relative",
            "//evil.org/x",
            "https://evil.org\\.s3.amazonaws.com/", "",
        ]
    )
    func foreign(location: String) {
        let error = #expect(throws: StorageError.self) { try Self.judge(307, ["Location": location]) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("A redirect by a custom endpoint is an error that names only the host of the target")
    func customEndpoint() {
        let error = #expect(throws: StorageError.self) {
            try Self.judge(
                307,
                ["Location": "http://u:hunter2@169.254.169.254/latest/meta-data?X-Amz-Signature=hunter2"],
                endpoint: "s3.example.org"
            )
        }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("\"http://169.254.169.254\"") == true)
        #expect(error?.message.contains("hunter2") == false)
        #expect(throws: StorageError.self) {
            try Self.judge(301, ["x-amz-bucket-region": "eu-west-1"], endpoint: "s3.example.org")
        }
    }
}
