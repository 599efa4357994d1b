import Storages
import Testing

@testable import StoragesS3

@Suite("Addressing of buckets")
struct AddressingTests {
    private struct Refusal: Error {}

    static func make(
        _ bucket: String = "media",
        region: String = "eu-west-1",
        endpoint: String? = nil,
        scheme: URLScheme = .https,
        style: S3AddressingStyle = .auto,
        configure: (inout AddressingOptions) -> Void = { _ in }
    ) throws -> Addressing {
        var options = AddressingOptions(
            bucket: bucket,
            region: try Region(region, from: "a test"),
            scheme: scheme,
            style: style
        )
        options.endpoint = try endpoint.map { try EndpointAddress($0, option: "endpointURL") }
        configure(&options)
        return try Addressing(options)
    }

    @Test(
        "Amazon's hosts are chosen as botocore does",
        arguments: [
            ("media", "us-east-1", "https://media.s3.amazonaws.com/k"),
            ("media", "aws-global", "https://media.s3.amazonaws.com/k"),
            ("media", "eu-west-1", "https://media.s3.eu-west-1.amazonaws.com/k"),
            ("media", "EU-West-1", "https://media.s3.eu-west-1.amazonaws.com/k"),
            ("media", "cn-north-1", "https://media.s3.cn-north-1.amazonaws.com.cn/k"),
            ("media", "us-gov-west-1", "https://media.s3.us-gov-west-1.amazonaws.com/k"),
            ("media", "eusc-de-east-1", "https://media.s3.eusc-de-east-1.amazonaws.eu/k"),
            ("media", "us-iso-east-1", "https://media.s3.us-iso-east-1.c2s.ic.gov/k"),
            ("media", "us-isob-east-1", "https://media.s3.us-isob-east-1.sc2s.sgov.gov/k"),
            ("my.media", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/my.media/k"),
            ("My_Media", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/My_Media/k"),
            ("ab", "eu-west-1", "https://s3.eu-west-1.amazonaws.com/ab/k"),
            ("-abc", "us-east-1", "https://s3.amazonaws.com/-abc/k"),
        ]
    )
    func amazon(bucket: String, region: String, url: String) throws {
        #expect(try Self.make(bucket, region: region).url(forKey: "k") == url)
    }

    @Test("Dual-stack, FIPS and accelerated hosts of Amazon are chosen by the options")
    func variants() throws {
        func host(_ region: String = "eu-west-1", _ configure: (inout AddressingOptions) -> Void) throws -> String {
            try Self.make(region: region, configure: configure).host
        }
        #expect(try host { $0.usesDualStack = true } == "media.s3.dualstack.eu-west-1.amazonaws.com")
        #expect(try host("us-east-1") { $0.usesDualStack = true } == "media.s3.dualstack.us-east-1.amazonaws.com")
        #expect(try host("us-east-1") { $0.usesFIPS = true } == "media.s3-fips.us-east-1.amazonaws.com")
        #expect(
            try host {
                $0.usesFIPS = true
                $0.usesDualStack = true
            } == "media.s3-fips.dualstack.eu-west-1.amazonaws.com"
        )
        #expect(try host { $0.usesAcceleration = true } == "media.s3-accelerate.amazonaws.com")
        #expect(
            try host {
                $0.usesAcceleration = true
                $0.usesDualStack = true
            } == "media.s3-accelerate.dualstack.amazonaws.com"
        )
    }

    @Test("A custom endpoint has the bucket in the path and an unusual port in the host")
    func custom() throws {
        let local = try Self.make(endpoint: "localhost:9000/", scheme: .http)
        #expect(local.url(forKey: "a/b") == "http://localhost:9000/media/a/b")
        #expect(local.host == "localhost:9000")
        #expect(local.bucketPath == "/media")
        #expect(!local.isAWS)
        #expect(try Self.make(endpoint: "s3.example.org:443").host == "s3.example.org")
        #expect(try Self.make(endpoint: "s3.example.org:80").host == "s3.example.org:80")
        #expect(try Self.make(endpoint: "s3.example.org:80", scheme: .http).host == "s3.example.org")
        #expect(try Self.make(endpoint: "HTTPD.lan").url(forKey: "k") == "https://httpd.lan/media/k")
        #expect(try Self.make(endpoint: "minio_1:9000", scheme: .http).host == "minio_1:9000")
        let virtual = try Self.make(endpoint: "s3.example.org:8443", style: .virtual)
        #expect(virtual.url(forKey: "k") == "https://media.s3.example.org:8443/k")
        #expect(virtual.bucketPath == "/")
    }

    @Test("A bucket is never put in front of an IP address", arguments: [S3AddressingStyle.auto, .path, .virtual])
    func addresses(style: S3AddressingStyle) throws {
        for endpoint in [
            "127.0.0.1:9000", "[::1]:9000", "[FE80::1:2]", "0x7f.1", "10.1", "2130706433", "[::ffff:10.0.0.1]",
        ] {
            let addressing = try Self.make(endpoint: endpoint, scheme: .http, style: style)
            #expect(addressing.url(forKey: "k") == "http://\(endpoint.lowercased())/media/k")
        }
    }

    @Test("A host of Amazon that is given as an endpoint is treated as Amazon's")
    func amazonAsEndpoint() throws {
        let addressing = try Self.make(endpoint: "s3.eu-west-1.amazonaws.com")
        #expect(addressing.host == "media.s3.eu-west-1.amazonaws.com")
        #expect(addressing.isAWS)
        #expect(try Self.make(endpoint: "s3.eu-west-1.amazonaws.com", style: .path).pathPrefix == "/media")
        let link = try Self.make(
            "bucket",
            endpoint: "bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com",
            style: .path
        )
        #expect(link.url(forKey: "k") == "https://bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com/bucket/k")
        let virtual = try Self.make("bucket", endpoint: "bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com")
        #expect(virtual.host == "bucket.bucket.vpce-1a2b-5e6f.s3.us-east-1.vpce.amazonaws.com")
        #expect(try !Self.make(endpoint: "s3.eu-west-1.amazonaws.com.evil.org").isAWS)
        #expect(try !Self.make(endpoint: "s3.amazonaws.com.evil").isAWS)
        #expect(try !Self.make(endpoint: "evilamazonaws.com").isAWS)
    }

    @Test(
        "Hosts of Amazon for other services than buckets are refused as endpoints",
        arguments: [
            "s3-website-us-east-1.amazonaws.com", "media.s3-website.eu-central-1.amazonaws.com",
            "s3-website.cn-north-1.amazonaws.com.cn", "s3-control.us-east-1.amazonaws.com",
            "123456789012.s3-control-fips.dualstack.us-west-2.amazonaws.com",
            "name-123456789012.s3-object-lambda.us-east-1.amazonaws.com", "s3-outposts.us-east-1.amazonaws.com",
        ]
    )
    func otherServices(endpoint: String) throws {
        let error = #expect(throws: StorageError.self) { try Self.make(endpoint: endpoint) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("endpointURL is a host for") == true)
        #expect(try Self.make(endpoint: "s3-website.example.org").url(forKey: "k").contains("s3-website.example.org"))
        #expect(try Self.make("s3-website", endpoint: "s3.eu-west-1.amazonaws.com").isAWS)
    }

    @Test("A bucket that an endpoint already begins with is not added to the host again")
    func bucketInFront() throws {
        let spaces = try Self.make(endpoint: "media.fra1.digitaloceanspaces.com")
        #expect(spaces.url(forKey: "k") == "https://media.fra1.digitaloceanspaces.com/k")
        #expect(spaces.serviceHost == "fra1.digitaloceanspaces.com")
        #expect(try Self.make(endpoint: "media.s3.eu-west-1.amazonaws.com").host == "media.s3.eu-west-1.amazonaws.com")
        #expect(try Self.make(endpoint: "media.localhost:9000", style: .virtual).host == "media.localhost:9000")
        // Asked for in so many words, the bucket is in the path of exactly that host.
        let path = try Self.make(endpoint: "media.example.org", style: .path)
        #expect(path.url(forKey: "k") == "https://media.example.org/media/k")
        #expect(try Self.make(endpoint: "mediator.example.org").host == "mediator.example.org")
        #expect(try Self.make("s3", endpoint: "s3.example.org").url(forKey: "k") == "https://s3.example.org/s3/k")
    }

    @Test("A bucket with dots may be in a host that needs no certificate of Amazon's")
    func dots() throws {
        #expect(try Self.make("my.media", scheme: .http, style: .virtual).host == "my.media.s3.eu-west-1.amazonaws.com")
        #expect(try Self.make("my.media", scheme: .http).pathPrefix == "/my.media")
        #expect(
            try Self.make("my.media", endpoint: "s3.example.org", style: .virtual).host == "my.media.s3.example.org"
        )
    }

    @Test("Every byte of a key but unreserved ones and slashes is percent-encoded once")
    func keys() throws {
        let addressing = try Self.make(endpoint: "localhost")
        let cases = [
            ("a b", "a%20b"), ("a+b", "a%2Bb"), ("p%q", "p%25q"), ("c/./d", "c/./d"), ("e/../f", "e/../f"),
            ("//g", "//g"),
            ("h//i", "h//i"), ("j/", "j/"), ("ሴ", "%E1%88%B4"), ("q?r", "q%3Fr"), ("x&y=z", "x%26y%3Dz"), ("\n", "%0A"),
            ("<x>&\"", "%3Cx%3E%26%22"), ("~-._", "~-._"), ("", ""), ("e\u{301}", "e%CC%81"),
        ]
        for (key, encoded) in cases {
            #expect(addressing.path(forKey: key) == "/media/" + encoded)
            #expect(addressing.copySource(forKey: key) == "media/" + encoded)
        }
    }

    @Test("Incompatible addressing options are refused with the name of the option")
    func refusals() {
        let cases: [(String, () throws -> Addressing)] = [
            ("usesDualStack", { try Self.make(endpoint: "s3.example.org") { $0.usesDualStack = true } }),
            ("usesFIPS", { try Self.make(endpoint: "s3.eu-west-1.amazonaws.com") { $0.usesFIPS = true } }),
            ("usesAccelerate", { try Self.make(endpoint: "s3.example.org") { $0.usesAcceleration = true } }),
            ("usesAccelerate", { try Self.make("my.media") { $0.usesAcceleration = true } }),
            ("usesAccelerate", { try Self.make("My_Media") { $0.usesAcceleration = true } }),
            ("usesAccelerate", { try Self.make(style: .path) { $0.usesAcceleration = true } }),
            ("usesAccelerate", { try Self.make(region: "cn-north-1") { $0.usesAcceleration = true } }),
            ("usesAccelerate", { try Self.make(region: "us-gov-west-1") { $0.usesAcceleration = true } }),
            (
                "usesAccelerate",
                {
                    try Self.make {
                        $0.usesAcceleration = true
                        $0.usesFIPS = true
                    }
                }
            ),
            ("usesFIPS", { try Self.make(region: "cn-north-1") { $0.usesFIPS = true } }),
            ("bucketName", { try Self.make("my.media", style: .virtual) }),
            ("bucketName", { try Self.make("My_Media", style: .virtual) }),
            ("bucketName", { try Self.make("1.2.3.4", endpoint: "s3.example.org", style: .virtual) }),
            (
                "addressingStyle",
                {
                    try Self.make(endpoint: "oss-cn-hangzhou.aliyuncs.com", style: .path) {
                        $0.requiresVirtualHost = true
                    }
                }
            ),
        ]
        for (index, (option, make)) in cases.enumerated() {
            let error = #expect(throws: StorageError.self, "case \(index)") { try make() }
            #expect(error?.code == .invalidConfiguration, "case \(index)")
            #expect(error?.message.contains(option) == true, "case \(index): \(error?.message ?? "")")
        }
    }

    @Test(
        "A name that is not a bucket's is refused",
        arguments: [
            "", ".", "..", "a/b", "a b", "a@b", "a?b", "a#b", "a%b", "a\\b", "a\r\nb", "é", "a:b",
            String(repeating: "a", count: 256),
            "arn:aws:s3:::media", "media--usw2-az1--x-s3", "media--usw2-az1--xa-s3",
            "media--op-s3",
        ]
    )
    func buckets(name: String) {
        let error = #expect(throws: StorageError.self) { try Self.make(name) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.message.contains("bucketName") == true)
    }

    @Test("A bucket's address moves to other regions of the same partition only")
    func moves() throws {
        let region = try Region("ap-south-1", from: "a test")
        #expect(try Self.make().moved(to: region).host == "media.s3.ap-south-1.amazonaws.com")
        #expect(
            try Self.make("my.media").moved(to: region).url(forKey: "k")
                == "https://s3.ap-south-1.amazonaws.com/my.media/k"
        )
        #expect(
            try Self.make(endpoint: "media.s3.amazonaws.com").moved(to: region).host
                == "media.s3.ap-south-1.amazonaws.com"
        )
        #expect(
            try Self.make(endpoint: "s3.dualstack.eu-west-1.amazonaws.com").moved(to: region).host
                == "media.s3.dualstack.ap-south-1.amazonaws.com"
        )
        #expect(try Self.make { $0.usesFIPS = true }.moved(to: region).host == "media.s3-fips.ap-south-1.amazonaws.com")
        let custom = try Self.make(endpoint: "s3.example.org").moved(to: region)
        #expect(custom.host == "s3.example.org")
        #expect(custom.region == region)
        let link = "bucket.vpce-1a2b-5e6f.s3.eu-west-1.vpce.amazonaws.com"
        #expect(try Self.make(endpoint: link, style: .path).moved(to: region).host == link)
        let china = try Region("cn-north-1", from: "a test")
        let error = #expect(throws: StorageError.self) { try Self.make().moved(to: china) }
        #expect(error?.code == .invalidConfiguration)
    }

    @Test("A bucket's address can be published at another host")
    func published() throws {
        let inside = try Self.make(endpoint: "minio:9000", scheme: .http)
        let outside = try inside.published(
            at: try EndpointAddress("files.example.org", option: "publicEndpoint"),
            scheme: .https
        )
        #expect(outside.url(forKey: "a b") == "https://files.example.org/media/a%20b")
        #expect(outside.region == inside.region)
    }

    @Test("A published address has the bucket where requests have it, unless host or user decide")
    func publishedStyle() throws {
        func url(_ addressing: Addressing, _ host: String = "files.example.org") throws -> String {
            let endpoint = try EndpointAddress(host, option: "publicEndpointURL")
            return try addressing.published(at: endpoint, scheme: .https).url(forKey: "k")
        }
        #expect(try url(Self.make()) == "https://media.files.example.org/k")
        #expect(try url(Self.make { $0.usesAcceleration = true }) == "https://media.files.example.org/k")
        #expect(
            try url(Self.make(endpoint: "media.fra1.digitaloceanspaces.com")) == "https://media.files.example.org/k"
        )
        #expect(try url(Self.make(), "media.files.example.org") == "https://media.files.example.org/k")
        #expect(try url(Self.make(), "203.0.113.9") == "https://203.0.113.9/media/k")
        #expect(try url(Self.make(style: .path)) == "https://files.example.org/media/k")
        #expect(try url(Self.make("my.media")) == "https://files.example.org/my.media/k")
        #expect(try url(Self.make(endpoint: "minio", style: .virtual)) == "https://media.files.example.org/k")
    }

    @Test("A custom domain gives URLs with its path, and a malformed one is refused")
    func customDomain() throws {
        #expect(try CustomDomain("cdn.example.org").url(forKey: "a b/é") == "https://cdn.example.org/a%20b/%C3%A9")
        let domain = try CustomDomain("CDN.example.org:8080/files/v%201/", scheme: .http)
        #expect(domain.url(forKey: "k") == "http://cdn.example.org:8080/files/v%201/k")
        #expect(domain.host == "cdn.example.org:8080")
        for text in [
            "", "/x", "https://cdn.example.org", "u@cdn.example.org", "cdn.example.org?x", "cdn.example.org/a?b",
            "cdn.example.org/a#b",
            "cdn.example.org/a b", "cdn.example.org/%zz", "cdn.example.org/\r\nx", "cdn.example.org/é",
            "cdn.example.org/a%4", "cdn.example.org/%+f", "cdn.example.org/%-1",
        ] {
            let error = #expect(throws: StorageError.self, "\(text)") { try CustomDomain(text) }
            #expect(error?.message.contains("customDomain") == true)
        }
    }
}
