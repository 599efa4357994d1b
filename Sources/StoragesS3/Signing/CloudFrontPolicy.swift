import Foundation
import Storages

/// What a signed URL of CloudFront allows.
struct CloudFrontPolicy: Sendable {
    /// The URL, which may contain the wildcards `*` and `?`; `nil` for just the URL that is signed.
    var resource: String?
    /// Until when; down to the second.
    var dateLessThan: Date
    /// From when; down to the second.
    var dateGreaterThan: Date?
    /// From which IPv4 address, or range such as `192.0.2.0/24`.
    var ipAddress: String?

    init(until dateLessThan: Date, from dateGreaterThan: Date? = nil, ipAddress: String? = nil, resource: String? = nil)
    {
        self.resource = resource
        self.dateLessThan = dateLessThan
        self.dateGreaterThan = dateGreaterThan
        self.ipAddress = ipAddress
    }

    /// Whether CloudFront can put the policy together from the URL and `Expires`.
    var isCanned: Bool { resource == nil && dateGreaterThan == nil && ipAddress == nil }

    /// The JSON that is signed: without blanks, in the order that CloudFront makes up a canned policy in.
    func json(for url: String) -> String {
        var json = JSONText()
        json.append("{\"Statement\":[{\"Resource\":")
        json.append(string: resource ?? url)
        json.append(",\"Condition\":{\"DateLessThan\":{\"AWS:EpochTime\":\(AmazonDate(dateLessThan).secondsSince1970)}")
        if let ipAddress {
            json.append(",\"IpAddress\":{\"AWS:SourceIp\":")
            json.append(string: ipAddress.utf8.contains(UInt8(ascii: "/")) ? ipAddress : ipAddress + "/32")
            json.append("}")
        }
        if let dateGreaterThan {
            json.append(",\"DateGreaterThan\":{\"AWS:EpochTime\":\(AmazonDate(dateGreaterThan).secondsSince1970)}")
        }
        json.append("}}]}")
        return json.text
    }
}
