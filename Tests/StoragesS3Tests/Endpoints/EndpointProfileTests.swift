import Storages
import Testing

@testable import StoragesS3

@Suite("Server profiles")
struct EndpointProfileTests {
    @Test(
        "The server profile is chosen by the host",
        arguments: [
            (nil, .aws), ("s3.amazonaws.com", .aws), ("s3.cn-north-1.amazonaws.com.cn", .aws),
            ("s3-fips.us-east-1.amazonaws.com", .aws),
            ("s3.dualstack.eu-west-1.amazonaws.com", .aws), ("s3-accelerate.amazonaws.com", .aws),
            ("0123.r2.cloudflarestorage.com", .cloudflareR2), ("storage.googleapis.com", .googleCloudStorage),
            ("fra1.digitaloceanspaces.com", .digitalOceanSpaces), ("s3.wasabisys.com", .wasabi),
            ("s3.us-west-004.backblazeb2.com", .backblazeB2), ("oss-cn-hangzhou.aliyuncs.com", .alibabaOSS),
            ("s3.fr-par.scw.cloud", .scaleway), ("gateway.storjshare.io", .storj), ("localhost", .generic),
            ("storage.googleapis.com.evil.org", .generic), ("notwasabisys.com", .generic),
        ] as [(String?, S3Server.Kind)]
    )
    func detection(host: String?, kind: S3Server.Kind) throws {
        #expect(try EndpointProfile.resolve(.automatic, host: host).kind == kind)
        #expect(try EndpointProfile.resolve(.ceph, host: host).kind == .ceph)
    }

    @Test("A server profile claims only the conditional writes that are known", arguments: S3Server.Kind.allCases)
    func conditions(kind: S3Server.Kind) {
        let profile = EndpointProfile.known(kind)
        let plain = profile.conditions.plain
        let versioned = profile.conditions.versioned
        let isKnown: Set<S3Server.Kind> = [.aws, .minIO, .ceph, .cloudflareR2, .seaweedFS]
        #expect((plain.put.absence == .ifNoneMatch) == isKnown.contains(kind))
        #expect(plain.put.tag.isSupported == isKnown.contains(kind))
        #expect((plain.put.tag == .bare) == (kind == .ceph))
        #expect((plain.complete == .init(absence: .ifNoneMatch, tag: .quoted)) == [.aws, .cloudflareR2].contains(kind))
        #expect((plain.copy == .ifNoneMatch) == [.aws, .seaweedFS].contains(kind))
        #expect(plain.delete.isSupported == (kind == .aws))
        // Nobody else says anything of buckets that keep versions.
        #expect(versioned.put.absence.isSupported == [.aws, .cloudflareR2].contains(kind))
        #expect(versioned.put.tag.isSupported == [.aws, .cloudflareR2].contains(kind))
        #expect(profile.listsInOrder == ![.automatic, .generic, .seaweedFS].contains(kind))
        #expect((profile.defaultChecksum == .crc32) == (kind == .aws))
        #expect(profile.maxConnectionAge == (kind == .aws ? .seconds(4) : .seconds(15)))
        #expect((1...1000).contains(profile.maxKeysPerDeletion))
    }

    @Test("Server profiles know the gaps of each server")
    func gaps() {
        #expect(EndpointProfile.known(.cloudflareR2).maxKeysPerDeletion == 700)
        #expect(EndpointProfile.known(.cloudflareR2).defaultRegion == .auto)
        #expect(
            EndpointProfile.known(.cloudflareR2).conditions.plain.copy
                == .header(name: "cf-copy-destination-if-none-match", value: "*")
        )
        #expect(!EndpointProfile.known(.googleCloudStorage).deletesInBulk)
        #expect(!EndpointProfile.known(.googleCloudStorage).copiesParts)
        #expect(EndpointProfile.known(.rclone).conditions == ConditionClaims(everywhere: .unsupported))
        #expect(!EndpointProfile.known(.rclone).copiesParts)
        #expect(EndpointProfile.known(.rclone).maxPartsAtOnce == 1)
        #expect(EndpointProfile.known(.alibabaOSS).requiresVirtualHost)
        #expect(!EndpointProfile.known(.alibabaOSS).deletesInBulk)
        #expect(EndpointProfile.known(.cloudflareR2).mayDecompress)
        #expect(EndpointProfile.known(.ceph).listVersion == 1)
        #expect(EndpointProfile.known(.ceph).conditions.versioned.complete == .unsupported)
        #expect(!EndpointProfile.known(.digitalOceanSpaces).encodesListings)
        #expect(EndpointProfile.known(.scaleway).maxParts == 1000)
        #expect(EndpointProfile.known(.storj).minPartSize == 64 << 20)
    }

    @Test("Server options of the user win over the server profile")
    func overrides() throws {
        var server = S3Server.automatic
        server.conditionalWrites = true
        server.listVersion = 1
        server.encodesListings = false
        server.deletesInBulk = false
        server.maxKeysPerDeletion = 10
        server.maxParts = 500
        server.minPartSize = 1
        server.copiesParts = false
        server.expectsContinue = false
        let profile = try EndpointProfile.resolve(server, host: "localhost")
        #expect(profile.kind == .generic)
        #expect(profile.conditions.plain.put == .init(absence: .ifNoneMatch, tag: .quoted))
        #expect(profile.conditions.plain.complete == .init())
        #expect(!profile.conditions.dependOnVersioning)
        #expect(profile.listVersion == 1)
        #expect(!profile.encodesListings)
        #expect(!profile.deletesInBulk)
        #expect(profile.maxKeysPerDeletion == 10)
        #expect(profile.maxParts == 500)
        #expect(profile.minPartSize == 1)
        #expect(!profile.copiesParts)
        #expect(!profile.expectsContinue)
        var careful = S3Server.aws
        careful.conditionalWrites = false
        let refused = try EndpointProfile.resolve(careful, host: nil)
        #expect(refused.conditions == ConditionClaims(everywhere: .unsupported))
    }

    @Test("Server options with invalid numbers are refused by name")
    func refusals() {
        let changes: [(String, (inout S3Server) -> Void)] = [
            ("listVersion", { $0.listVersion = 3 }), ("maxKeysPerDeletion", { $0.maxKeysPerDeletion = 0 }),
            ("maxKeysPerDeletion", { $0.maxKeysPerDeletion = 1001 }), ("maxParts", { $0.maxParts = 10_001 }),
            ("minPartSize", { $0.minPartSize = 0 }),
        ]
        for (option, change) in changes {
            var server = S3Server.generic
            change(&server)
            let error = #expect(throws: StorageError.self) { try EndpointProfile.resolve(server, host: nil) }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains(option) == true)
        }
    }
}
