import PostgresModels
import StoredFilesTesting
import TestSupport
import Testing

@Suite("The direct address")
struct DirectAddressTests {
    @Test("It is never printed with the configuration, because it may hold a password")
    func isNeverPrinted() {
        let address = "postgresql://app:secret@db.example.org/app"
        let configuration = DatabaseConfiguration(directAddress: address)
        #expect(configuration.directAddress == address)
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("secret"))
            #expect(!text.contains("db.example.org"))
        }
    }

    @Test("One that cannot be read is refused at once, and not repeated")
    func cannotBeRead() async throws {
        let url = try await TemporaryPostgres.shared().url
        let error = try await databaseError {
            let configuration = DatabaseConfiguration(directAddress: "secret without a key")
            _ = try await Database.connect(url, configuration: configuration)
        }
        #expect(error?.code == .invalidArgument)
        #expect(error?.message.contains("secret") == false)
    }
}
